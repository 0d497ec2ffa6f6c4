import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LogRecord, type RunningAgent, runCli, startAgent } from '../support/cli.ts';
import { freePort } from '../support/real-server.ts';

function is(msg: string, fields: Readonly<Record<string, unknown>> = {}): (record: LogRecord) => boolean {
  return (record) =>
    record.msg === msg && Object.entries(fields).every(([key, value]) => record[key] === value);
}

/** A service that is there as long as the file `up` is, and is mended by the second step. */
async function aService({ head = '', ladder = LADDER, flags = [] as readonly string[], state = '' } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'vitald-'));
  // Nothing can be written below a file.
  writeFileSync(join(directory, 'file'), '');
  const file = join(directory, 'targets.yaml');
  writeFileSync(
    file,
    `
api: { listen: "127.0.0.1:${await freePort()}" }
confirm: 0s
${state}
recovery: { start_grace: 0s, cool_down: 0s, per_target: 100/1s, per_group: 100/1s, overall: 100/1s, off_file: ./off }
defaults:
  interval: 200ms
  timeout: 150ms
  retry_interval: 50ms
  failure_threshold: 2
  verify: { successes: 2, within: 1s, stable: 200ms }
  notify: tell
targets: [{ name: orders, exec: { shell: "test -e up || exit 2" }, recover: mend${head} }]
hooks:
  tell: { shell: 'echo "$VITALD_EVENT" >> told', on: [down, up] }
  mend: ${ladder}
`,
  );
  writeFileSync(join(directory, 'up'), '');
  const env = { XDG_STATE_HOME: directory };
  const start = (): RunningAgent => startAgent(['run', file, '--log', 'json', ...flags], { env });
  const agent = start();
  await agent.waitFor(is('transition', { to: 'up' }));
  return {
    agent,
    start,
    path: (name: string) => join(directory, name),
    fall: () => rmSync(join(directory, 'up')),
    acts: () => linesIn(join(directory, 'acts')),
    told: () => linesIn(join(directory, 'told')),
    vitald: (...args: string[]) => runCli([...args, file], { env }),
  };
}

const LADDER = `
    - { shell: 'echo "1 $VITALD_EVENT_ID $VITALD_TRY" >> acts; echo in vain', settle: 0s }
    - { exec: [sh, -c, 'echo "2 $VITALD_EVENT_ID $VITALD_TRY" >> acts; touch up'], settle: 0s }`;
const IN_VAIN = `[{ shell: "echo tried >> acts", settle: 0s }]`;

function linesIn(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

test('step by step, until the probe says that it helped', async () => {
  const { agent, fall, acts } = await aService();
  fall();
  const outcome = await agent.waitFor(is('recovery outcome', { outcome: 'recovered' }));
  expect(outcome).toMatchObject({ target: 'orders', step: 'mend/2', kind: 'exec' });
  const story = agent.records
    .filter(({ msg }) => msg.startsWith('recovery '))
    .map(({ msg, step, ok, outcome }) => [msg, step, ok ?? outcome]);
  expect(story).toEqual([
    ['recovery begins', 'mend/1', undefined],
    ['recovery acted', 'mend/1', true],
    ['recovery outcome', 'mend/1', 'failed'],
    ['recovery begins', 'mend/2', undefined],
    ['recovery acted', 'mend/2', true],
    ['recovery outcome', 'mend/2', 'recovered'],
  ]);
  const incident = String(agent.records.find(is('transition', { to: 'down' }))!['incident']);
  expect(acts().map((line) => line.replace(/\/\w+/, '/x'))).toEqual([
    `1 ${incident}/x 1`,
    `2 ${incident}/x 1`,
  ]);
});

test('the story of an incident, with what its actions printed', async () => {
  const { agent, fall, vitald } = await aService();
  fall();
  const verified = await agent.waitFor(is('recovery outcome', { outcome: 'recovered' }));
  await agent.waitFor(is('transition', { to: 'up' }), { after: verified });
  const id = String(verified['incident']);
  const list = await vitald('incidents');
  expect(list.stdout).toMatch(new RegExp(`^INCIDENT +OPENED .*\n${id} +.* up +exit: `));
  const { stdout } = await vitald('incident', id);
  const story = stdout.split('\n').map((line) => line.trim().replace(/^\+\S+ +/, ''));
  const order = [
    /^first failure +/,
    /^down +exit: /,
    /^recovery +mend\/1, attempt 1: \/bin\/sh -c/,
    /^recovery +mend\/1 ok: in vain$/,
    /^recovery +mend\/1 failed: 0 of 2 good attempts/,
    /^recovery +mend\/2, attempt 1: sh -c/,
    /^recovery +mend\/2 recovered: /,
    /^mend\/1 \(shell\), attempt 1$/,
    /^\| in vain$/,
    /^mend\/2 \(exec\), attempt 1$/,
  ];
  let at = -1;
  for (const pattern of order) {
    const next = story.findIndex((line, index) => index > at && pattern.test(line));
    expect(next, `${pattern.source} in\n${stdout}`).toBeGreaterThan(at);
    at = next;
  }
  const json = JSON.parse((await vitald('incident', id, '--json')).stdout) as { actions: unknown[] };
  expect(json.actions).toMatchObject([{ outcome: 'failed', output: 'in vain' }, { outcome: 'recovered' }]);
  const steps = await vitald('incidents', '--steps');
  expect(steps.stdout).toMatch(/^mend\/1 +explicit +1 +0 +- +\nmend\/2 +explicit +1 +1 +\S+/m);
  expect(await vitald('incident', 'orders-none')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no incident "orders-none"') as string,
  });
});

test('what was given up is told, explained, and armed again by ack', async () => {
  const { agent, fall, acts, told, vitald } = await aService({ ladder: IN_VAIN });
  fall();
  await agent.waitFor(is('recovery gave up'));
  await agent.waitFor(is('hook', { event: 'gave_up' }));
  expect(told()).toEqual(['down', 'gave_up']);
  const explained = await vitald('explain', 'orders');
  expect(explained.stdout).toMatch(/gave up +every step has been tried; `vitald ack` arms it again/);
  expect(explained.stdout).toMatch(/tried +mend once/);
  expect(acts()).toHaveLength(1);
  const acked = await vitald('ack', 'orders');
  expect(acked).toMatchObject({
    code: 0,
    stdout: 'recovery of orders begins at the foot of its ladder again\n',
  });
  await agent.waitFor(() => agent.records.filter(is('recovery gave up')).length === 2);
  expect(acts()).toHaveLength(2);
  expect(await vitald('ack', 'order')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('did you mean') as string,
  });
});

describe('the switch', () => {
  test('off and on by command, also for the next process', async () => {
    const { agent, start, fall, acts, vitald } = await aService();
    const off = await vitald('recovery', 'off', '--reason', 'migration');
    expect(off.stdout).toMatch(/^recovery is off for all targets: migration \(\S+@\S+\)\n$/);
    fall();
    const held = await agent.waitFor(is('recovery held'));
    expect(held['gates']).toEqual(['switch']);
    agent.signal('SIGKILL');
    await agent.exited;
    const next = start();
    await next.waitFor(is('recovery held'));
    expect((await vitald('recovery', 'status')).stdout).toMatch(
      /^recovery is off for all targets: migration/,
    );
    expect(acts()).toEqual([]);
    expect((await vitald('recovery', 'on')).stdout).toBe('recovery is on\n');
    await next.waitFor(is('recovery outcome', { outcome: 'recovered' }));
  });

  test('off by a signal, which never switches on', async () => {
    const { agent, fall, vitald } = await aService();
    agent.signal('SIGUSR2');
    await agent.waitFor(is('recovery is off'));
    agent.signal('SIGUSR2');
    fall();
    await agent.waitFor(is('recovery held'));
    await vitald('recovery', 'on');
    await agent.waitFor(is('recovery outcome', { outcome: 'recovered' }));
  });

  test('off by a file, for as long as it is there', async () => {
    const { agent, fall, path, vitald } = await aService();
    writeFileSync(path('off'), '');
    while (!(await vitald('recovery', 'status')).stdout.includes('off is there'));
    const on = await vitald('recovery', 'on');
    expect(on).toMatchObject({ code: 1, stdout: expect.stringContaining('not for this command') as string });
    fall();
    await agent.waitFor(is('recovery held'));
    rmSync(path('off'));
    await agent.waitFor(is('recovery outcome', { outcome: 'recovered' }));
  });

  test('wrong usage is told', async () => {
    expect(await runCli(['recovery', 'of'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('say on, off or status') as string,
    });
    expect((await runCli(['recovery', 'off'])).stderr).toContain('--reason TEXT');
  });
});

test('without a state that can be written nothing is done, and all else goes on', async () => {
  const { agent, fall, acts, told, vitald } = await aService({ state: 'state: ./file/vitald.db' });
  fall();
  const held = await agent.waitFor(is('recovery held'));
  expect(held).toMatchObject({
    gates: ['store'],
    why: expect.stringContaining('without a store that can be written nothing is done') as string,
  });
  // It was decided and told all the same.
  await agent.waitFor(is('hook', { event: 'down' }));
  expect([told(), acts()]).toEqual([['down'], []]);
  expect((await vitald('explain', 'orders')).stdout).toMatch(/store +without a store that can be written/);
});

test('a dry run says the exact line, and does nothing', async () => {
  const { agent, fall, acts } = await aService({
    ladder: `[{ exec: [systemctl, restart, "{target} now"], settle: 0s }]`,
    flags: ['--dry-run'],
  });
  fall();
  const begins = await agent.waitFor(is('recovery begins'));
  expect(begins).toMatchObject({ mode: 'dry_run', what: "systemctl restart 'orders now'" });
  expect(await agent.waitFor(is('recovery outcome'))).toMatchObject({ outcome: 'failed' });
  expect(acts()).toEqual([]);
});
