import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { type LogRecord, runCli, startAgent } from '../support/cli.ts';
import { closedPort } from '../support/servers.ts';
import { yamlFile } from '../support/yaml-file.ts';

function config(port: number, { threshold = 3, recover = '' } = {}): string {
  return `
confirm: 0s
state: ./vitald.db
api: { listen: off }
defaults: { interval: 100ms, timeout: 90ms, retry_interval: 50ms, failure_threshold: ${threshold}, success_threshold: 2 }
recovery: { start_grace: 0s, cool_down: 10m }
targets:
  - { name: flapping, tcp: "127.0.0.1:${port}"${recover} }
  - { name: dead, tcp: "127.0.0.1:1" }
hooks: { mend: { exec: [mend, "{target}"] } }
`;
}

const goes = (to: string) => (record: LogRecord) =>
  record.msg === 'transition' && record['target'] === 'flapping' && record['to'] === to;

/** An agent that watches a server go twice; its log, in a file, and its files. */
async function recording() {
  const port = await closedPort();
  const file = yamlFile(config(port));
  const agent = startAgent(['run', file, '--log', 'json', '--log-level', 'debug']);
  let last: LogRecord | undefined;
  for (let times = 0; times < 2; times++) {
    const server = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    last = await agent.waitFor(goes('up'), last && { after: last });
    server.close();
    last = await agent.waitFor(goes('down'), { after: last });
  }
  await agent.waitFor((record) => record.msg === 'attempt' && record['target'] === 'flapping', {
    after: last!,
  });
  agent.signal('SIGTERM');
  await agent.exited;
  const log = join(dirname(file), 'log.json');
  writeFileSync(log, agent.records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const opened = agent.records.filter(({ msg, to }) => msg === 'transition' && to === 'down').length;
  return { port, file, log, state: join(dirname(file), 'vitald.db'), opened };
}

test('the same rules come to the same; others show what would differ, and what would be done', async () => {
  const { port, file, log, state, opened } = await recording();
  const other = yamlFile(config(port, { threshold: 5, recover: ', recover: mend' }));

  for (const from of [log, state]) {
    const same = await runCli(['replay', file, '--from', from]);
    expect(same.stderr).toBe('');
    expect(same.stdout).toContain(
      `incidents: ${opened} recorded, ${opened} with the files: ${opened} the same\n`,
    );
    expect(same.code).toBe(0);

    const { code, stdout } = await runCli(['replay', other, '--from', from, '--json']);
    expect(code).toBe(1);
    const answer = JSON.parse(stdout) as Record<string, unknown>;
    expect(answer).toMatchObject({
      differs: true,
      summary: { recorded_incidents: opened, recorded_actions: 0 },
    });
    const targets = answer['targets'] as {
      target: string;
      incidents: { recorded: { opened: string }; replayed: { opened: string } | null }[];
    }[];
    expect(targets.map(({ target }) => target)).toEqual(['flapping', 'dead']);
    const dead = targets[1]!.incidents;
    expect(dead.length).toBe(1);
    expect(Date.parse(dead[0]!.replayed!.opened)).toBeGreaterThan(Date.parse(dead[0]!.recorded.opened));

    const page = await runCli(['replay', other, '--from', from]);
    expect(page.code).toBe(1);
    expect(page.stdout).toMatch(/^dead +incident .* opens \d+ms later$/m);
  }

  // From the second failure on it would have been acted on: the record goes on, and nothing is run.
  const eager = yamlFile(config(port, { threshold: 1, recover: ', recover: mend' }));
  const { stdout } = await runCli(['replay', eager, '--from', log]);
  expect(stdout).toMatch(/^flapping +mend +- .* would begin: mend flapping/m);
  expect(stdout).toContain('whether an action would have helped nobody knows');

  const none = await runCli(['replay', file, '--from', log, '--since', '2100-01-01T00:00:00Z']);
  expect(none.stderr).toContain('has no attempts on record');
  expect(none.code).toBe(2);
  appendFileSync(log, 'torn off\n');
  const torn = await runCli(['replay', file, '--from', log]);
  expect(torn.stdout).toContain(`1 line of ${log} could not be read`);
  expect(torn.code).toBe(0);
});

test.each([
  { args: [], says: '--from names what was recorded' },
  { args: ['--from', 'nowhere'], says: 'nowhere cannot be read: ENOENT' },
  { args: ['--from', '.'], says: '. cannot be read: EISDIR' },
  { args: ['--from', 'package.json'], says: 'package.json has no attempts on record, and ' },
  { args: ['--from', 'package.json', '--since', 'now'], says: '--since takes a time such as' },
])('bad usage: $says', async ({ args, says }) => {
  const { code, stderr } = await runCli(['replay', yamlFile(config(1)), ...args]);
  expect(stderr).toContain(says);
  expect(code).toBe(2);
});
