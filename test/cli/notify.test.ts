import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { runCli, startAgent } from '../support/cli.ts';
import { receiver } from '../support/receiver.ts';
import { freePort } from '../support/real-server.ts';
import { closedPort, serve } from '../support/servers.ts';
import { smtpServer } from '../support/smtp-server.ts';
import { yamlFile } from '../support/yaml-file.ts';

describe('notify test', () => {
  const file = (hooks: string): string => yamlFile(`targets: [{ name: a, tcp: "h:1" }]\nhooks:\n${hooks}`);

  test('tells the hook of both, and says how that went', async () => {
    const { url, received } = await receiver(200);
    const { code, stdout } = await runCli(['notify', 'test', 'ops', file(`  ops: { slack: "${url}" }`)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^ops \(slack, on down\) taken in \S+: status 200\nops \(slack, on up\) taken in /,
    );
    expect(received.map(({ body }) => (JSON.parse(body) as { text: string }).text)).toEqual([
      'vitald-test is down',
      expect.stringMatching(/^vitald-test is up again after /),
    ]);
  });

  test('only of what the hook hears; what went wrong is told, and is exit 1', async () => {
    const { url, received } = await receiver(403, { said: 'no such key s3cr3t-value' });
    const yaml = file(
      `  ops: { webhook: { url: "${url}", headers: { authorization: s3cr3t-value } }, on: down }`,
    );
    const { code, stdout } = await runCli(['notify', 'test', 'ops', yaml]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ops \(webhook, on down\) not taken in \S+: status 403: no such key \*\*\*\n$/);
    expect(received.length).toBe(1);
    const refused = file(`  ops: { ntfy: "http://127.0.0.1:${await closedPort()}/topic" }`);
    expect((await runCli(['notify', 'test', 'ops', refused])).stdout).toMatch(
      /not taken in \S+: .*ECONNREFUSED/,
    );
  });

  test('a mail leaves nothing behind that would keep the process', async () => {
    const { address, mails } = await smtpServer();
    const settings = `{ server: "${address}", security: none, from: a@example.com, to: b@example.com }`;
    const { code, stdout } = await runCli(['notify', 'test', 'mail', file(`  mail: { email: ${settings} }`)]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mail \(email, on down\) taken in \S+: 250 2.0.0 Ok: queued as 12345\n/);
    expect(mails.length).toBe(2);
  });

  test.each([
    [['notify', 'test', 'opps'], 'there is no hook "opps" that tells somebody; did you mean "ops"?'],
    [['notify', 'tset', 'ops'], 'there is "notify test", and no "notify tset"'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await runCli([...args, file('  ops: { shell: "true" }')]);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });
});

test('what is told survives kill -9 while the receiver is away: both ends of the incident, with the same ids', async () => {
  const [node, away] = [await freePort(), await freePort()];
  const file = yamlFile(`
state: state.db
api: { listen: off }
anchors: off
confirm: 0s
defaults: { interval: 100ms, timeout: 90ms, retry_interval: 50ms, failure_threshold: 1, success_threshold: 1 }
targets: [{ name: a, tcp: "127.0.0.1:${node}", notify: ops }]
hooks: { ops: { webhook: "http://127.0.0.1:${away}/in" } }
`);
  const begun: unknown[] = [];
  for (let life = 0; life < 3; life++) {
    const agent = startAgent(['run', file, '--log', 'json']);
    begun.push((await agent.waitFor(({ msg }) => msg === 'hook start'))['event_id']);
    agent.signal('SIGKILL');
    await agent.exited;
  }
  expect(new Set(begun)).toEqual(new Set([begun[0]]));
  await serve(createServer(), node);
  const agent = startAgent(['run', file, '--log', 'json']);
  await agent.waitFor(({ msg, to }) => msg === 'transition' && to === 'up');
  const { received } = await receiver(200, { at: away });
  await agent.waitFor(({ msg, event }) => msg === 'hook' && event === 'up');
  agent.signal('SIGTERM');
  await agent.exited;
  const told = received.map(({ body }) => JSON.parse(body) as { id: string; incident: string });
  expect(told.map(({ id }) => id)).toEqual([begun[0], `${told[0]?.incident}/up`]);
});
