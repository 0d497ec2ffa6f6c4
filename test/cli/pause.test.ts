import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LogRecord, runCli, startAgent } from '../support/cli.ts';
import { freePort } from '../support/real-server.ts';

const FAST = '{ interval: 200ms, timeout: 150ms, retry_interval: 50ms, failure_threshold: 2, notify: tell }';

function is(msg: string, fields: Readonly<Record<string, unknown>> = {}): (record: LogRecord) => boolean {
  return (record) =>
    record.msg === msg && Object.entries(fields).every(([key, value]) => record[key] === value);
}

/** An agent that watches two files, which are there or not. */
async function watching() {
  const directory = mkdtempSync(join(tmpdir(), 'vitald-'));
  const [file, told] = [join(directory, 'targets.yaml'), join(directory, 'told')];
  writeFileSync(
    file,
    `
api: { listen: "127.0.0.1:${await freePort()}" }
confirm: 0s
defaults: ${FAST}
targets:
  - { name: "web-{n}", each: { n: [1, 2] }, group: web, exec: { shell: "test -e up-{n} || exit 2" } }
groups: { web: { at_least: 1, notify: tell } }
maintenance: [{ targets: web-2, cron: "0 3 1 1 *", for: 1h, zone: UTC, reason: new year }]
hooks: { tell: { shell: 'echo "$VITALD_KIND $VITALD_TARGET $VITALD_EVENT" >> told' } }
`,
  );
  for (const name of ['up-1', 'up-2']) writeFileSync(join(directory, name), '');
  const start = () => startAgent(['run', file, '--log', 'json'], { env: { XDG_STATE_HOME: directory } });
  const agent = start();
  for (const target of ['web-1', 'web-2']) await agent.waitFor(is('transition', { target, to: 'up' }));
  const vitald = async (
    ...args: string[]
  ): Promise<{ code: number | null; stdout: string; stderr: string }> =>
    await runCli([...args, file], { env: { XDG_STATE_HOME: directory } });
  return {
    agent,
    start,
    vitald,
    told: () => (existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n') : []),
    fall: (n: number) => rmSync(join(directory, `up-${n}`)),
    rise: (n: number) => writeFileSync(join(directory, `up-${n}`), ''),
  };
}

test('a target that is paused fails in silence, and is told when that is over', async () => {
  const { agent, vitald, told, fall } = await watching();
  const paused = await vitald('pause', 'web-1', '--for', '30m', '--reason', 'deploy 4.2');
  expect(paused.code).toBe(0);
  expect(paused.stdout).toMatch(
    /^web-1 is paused until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(30m\): deploy 4.2\n$/,
  );
  expect(agent.records.find(is('paused'))).toMatchObject({
    target: 'web-1',
    reason: 'deploy 4.2',
    by: expect.stringMatching(/.@./) as string,
  });
  fall(1);
  await agent.waitFor(is('transition', { target: 'web-1', to: 'down' }));
  const { stdout } = await vitald('pauses');
  expect(stdout).toMatch(/^PAUSED +LEFT +UNTIL +BY +WHY\nweb-1 .* \S+@\S+ +deploy 4.2\n/);
  expect(stdout).toMatch(/\n\nnext maintenance, in .*: web-2 from .*, new year\n$/);
  expect((await vitald('status')).stdout).toMatch(/^web-1 +down.*, paused /m);
  expect(told()).toEqual([]);
  expect((await vitald('resume', 'web-1')).stdout).toBe('the pause of web-1 has ended: deploy 4.2\n');
  await agent.waitFor(is('hook', { event: 'down', target: 'web-1' }));
  expect(told()).toEqual(['target web-1 down']);
  expect((await vitald('resume', 'web-1')).stdout).toBe('web-1 is not paused\n');
});

test('until it is healthy; a group is told as a whole', async () => {
  const { agent, vitald, told, fall, rise } = await watching();
  const paused = await vitald('pause', '--group', 'web', '--for', '1h', '--reason', 'x', '--until-healthy');
  expect(paused.stdout).toMatch(
    /^group web \(2 targets\) is paused until .* \(1h\): x\nWhat has failed and is verified up again is released/,
  );
  for (const n of [1, 2]) fall(n);
  for (const n of [1, 2]) await agent.waitFor(is('transition', { target: `web-${n}`, to: 'down' }));
  for (const n of [1, 2]) rise(n);
  await agent.waitFor(is('pause over', { group: 'web', because: 'healthy' }));
  expect(told()).toEqual([]);
  for (const n of [1, 2]) fall(n);
  await agent.waitFor(is('hook', { event: 'down', target: 'web' }));
  expect(told()).toContain('group web down');
});

test('a pause that was confirmed outlives kill -9, and so does its end', async () => {
  const { agent, start, vitald, told, fall } = await watching();
  await vitald('pause', 'web-1', '--for', '30m', '--reason', 'deploy 4.2');
  await vitald('pause', 'web-2', '--for', '30m', '--reason', 'deploy 4.2');
  await vitald('resume', 'web-2');
  agent.signal('SIGKILL');
  await agent.exited;
  for (const n of [1, 2]) fall(n);
  const next = start();
  await next.waitFor(is('hook', { event: 'down', target: 'web-2' }));
  await next.waitFor(is('transition', { target: 'web-1', to: 'down' }));
  expect((await vitald('pauses')).stdout).toMatch(/^web-1 .* (29m\d+s|30m) .* deploy 4.2$/m);
  expect(told()).toEqual(['target web-2 down']);
  await vitald('resume', '--all');
  await next.waitFor(is('hook', { event: 'down', target: 'web-1' }));
});

describe('what is refused', () => {
  test.each([
    [['pause', 'a', '--for', '30m'], '--reason TEXT: say why'],
    [['pause', 'a', '--reason', 'x'], '--for TIME: say how long'],
    [['pause', 'a', '--reason', 'x', '--for', '30'], '--for takes a duration such as 30m, not "30"'],
    [['pause', '--for', '30m', '--reason', 'x'], 'name a target, or take --group NAME or --all'],
    [['resume', '--all', '--group', 'g'], '--group and --all are two different things'],
  ])('vitald %j', async (args, message) => {
    const { code, stderr } = await runCli(args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test('an unknown target', async () => {
    const { vitald } = await watching();
    const { code, stderr } = await vitald('pause', 'web-3', '--for', '30m', '--reason', 'x');
    expect([code, stderr]).toEqual([2, expect.stringContaining('there is no target "web-3"')]);
  });
});
