import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { type LogRecord, runCli, startAgent } from '../support/cli.ts';
import { rawConnection } from '../support/raw-http.ts';
import { freePort } from '../support/real-server.ts';
import { serve } from '../support/servers.ts';
import { yamlFile } from '../support/yaml-file.ts';

const TOKEN = 'correct-horse-battery';
const FAST = 'interval: 100ms, timeout: 90ms, retry_interval: 50ms, failure_threshold: 2';
const REFUSED = 'reload refused, the running configuration goes on';

function is(msg: string, fields: Readonly<Record<string, unknown>> = {}): (record: LogRecord) => boolean {
  return (record) =>
    record.msg === msg && Object.entries(fields).every(([key, value]) => record[key] === value);
}

function run(file: string, ...options: string[]) {
  return startAgent(['run', file, '--log', 'json', '--log-level', 'debug', ...options]);
}

async function beat(port: number, body: object = {}, { name = 'node', token = TOKEN } = {}) {
  const answer = await fetch(`http://127.0.0.1:${port}/heartbeat/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

/** Beats until it is told to stop. */
function beating(port: number): { stop(): void } {
  const boot = String(performance.now());
  let seq = 0;
  let waits = false;
  const timer = setInterval(() => {
    // Over another connection the next one could overtake it.
    if (waits) return;
    waits = true;
    void beat(port, { seq: ++seq, boot })
      .catch(() => {})
      .finally(() => (waits = false));
  }, 50);
  return { stop: () => clearInterval(timer) };
}

const target = (more = '', every = '300ms'): string =>
  `{ name: node, heartbeat: { every: ${every}, grace: 400ms, token: ${TOKEN} }${more} }`;

describe('run', () => {
  test('up while it beats, down when it is silent, up when it beats again, hooks included', async () => {
    const port = await freePort();
    const file = yamlFile(`
listen: 127.0.0.1:${port}
confirm: 0s
defaults: { ${FAST} }
targets: [${target(', notify: ops')}]
hooks: { ops: { shell: "echo told" } }
`);
    const agent = run(file);
    await agent.waitFor(is('listening', { address: `127.0.0.1:${port}` }));
    const first = beating(port);
    const up = await agent.waitFor(is('transition', { to: 'up' }));
    await agent.waitFor(is('attempt', { status: 'ok' }), { after: up });
    first.stop();
    const down = await agent.waitFor(is('transition', { to: 'down' }));
    expect(down).toMatchObject({ target: 'node', reason: 'missed', class: 'silent' });
    expect(down['message']).toMatch(/^no beat for [\d.]+m?s; one was due every 300ms$/);
    await agent.waitFor(is('hook', { event: 'down', ok: true }));
    const second = beating(port);
    await agent.waitFor(is('hook', { event: 'up', ok: true }));
    second.stop();
    expect(await beat(port, { load: 1 }, { token: 'guess' })).toEqual({
      status: 401,
      body: { error: 'unauthorized' },
    });
    const told = await agent.waitFor(is('requests refused'));
    expect(told).toMatchObject({ level: 'warn', count: 1, why: { unauthorized: 1 }, from: ['127.0.0.1'] });
    agent.signal('SIGTERM');
    expect(await agent.exited).toEqual({ code: 0, signal: null });
    const totals = agent.records.at(-1)!;
    expect(totals).toMatchObject({ msg: 'stopped', beats: { ignored: 0, refused: 1 } });
    expect(JSON.stringify(agent.records)).not.toContain(TOKEN);
    expect(agent.records.filter(is('trouble'))).toEqual([]);
  });

  test('beats that came while the agent was stopped count', async () => {
    const port = await freePort();
    const agent = run(
      yamlFile(`{ listen: "127.0.0.1:${port}", defaults: { ${FAST} }, targets: [${target()}] }`),
    );
    await agent.waitFor(is('listening'));
    expect((await beat(port)).status).toBe(200);
    const up = await agent.waitFor(is('transition', { to: 'up' }));
    agent.signal('SIGSTOP');
    const frozenAt = performance.now();
    const sent = `POST /heartbeat/node HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TOKEN}\r\ncontent-length: 2\r\n\r\n{}`;
    // Longer than a beat is good for: the kernel takes them meanwhile.
    const asked: Promise<unknown>[] = [];
    while (performance.now() - frozenAt < 1_500) {
      const { socket, hears } = await rawConnection(port);
      socket.write(sent);
      asked.push(hears('"accepted":true'));
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
    agent.signal('SIGCONT');
    await Promise.all(asked);
    const steady = beating(port);
    const one = await agent.waitFor(is('attempt'), { after: up });
    await agent.waitFor(is('attempt'), { after: one });
    steady.stop();
    const seen = agent.records.filter(is('attempt'));
    expect(seen.map(({ status }) => status)).not.toContain('fail');
  });

  test('the port is in use: exit 2, and the reason', async () => {
    const port = await serve(createServer());
    const file = yamlFile(`{ listen: "127.0.0.1:${port}", targets: [${target()}] }`);
    expect(await runCli(['run', file])).toEqual({
      code: 2,
      stdout: '',
      stderr: `vitald: cannot listen on 127.0.0.1:${port}: the port is in use\n`,
    });
    // Nobody listens where no target beats.
    const quiet = run(
      yamlFile(
        `{ listen: "127.0.0.1:${port}", api: { listen: off }, targets: [{ name: a, tcp: "127.0.0.1:${port}" }] }`,
      ),
    );
    await quiet.waitFor(is('transition', { to: 'up' }));
    expect(quiet.records.filter(is('listening'))).toEqual([]);
  });

  test('in once it says nothing', async () => {
    const { stdout } = await runCli(['once', yamlFile(`targets: [${target()}]`), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'void',
      message: 'nothing listens for beats here; vitald run does',
    });
  });
});

describe('reload', () => {
  test('begins to listen, takes new tokens, moves, and ends to listen', async () => {
    const [port, other, taken] = [await freePort(), await freePort(), await serve(createServer())];
    // However long the machine takes, no beat is missed meanwhile.
    const patient = target('', '1h');
    const plain = `{ name: a, tcp: "127.0.0.1:${taken}" }`;
    const config = (at: number, ...targets: string[]): string =>
      `{ listen: "127.0.0.1:${at}", defaults: { ${FAST} }, targets: [${[plain, ...targets].join(', ')}] }`;
    const file = yamlFile(config(port));
    const agent = run(file);
    let last = await agent.waitFor(is('started'));
    async function reload(text: string, msg = 'reloaded'): Promise<LogRecord> {
      writeFileSync(file, text);
      last = await agent.waitFor(is(msg), { after: last });
      return last;
    }
    await expect(beat(port)).rejects.toThrow();

    await reload(config(port, patient));
    expect(await beat(port, { seq: 9 })).toEqual({ status: 200, body: { accepted: true } });
    await agent.waitFor(is('transition', { target: 'node', to: 'up' }));

    // What stays keeps what is known of it; the new token holds at once, and the old one no longer.
    await reload(config(port, patient, patient.replace('node', 'two').replace(TOKEN, 'another-long-token')));
    expect(await beat(port, { seq: 9 })).toMatchObject({ body: { accepted: false } });
    expect((await beat(port, {}, { name: 'two' })).status).toBe(401);
    expect((await beat(port, {}, { name: 'two', token: 'another-long-token' })).status).toBe(200);
    await reload(config(port, patient.replace(TOKEN, 'a-third-long-token')));
    expect((await beat(port)).status).toBe(401);
    expect((await beat(port, { seq: 10 }, { token: 'a-third-long-token' })).status).toBe(200);

    // Nothing of a refused reload is in force.
    const refused = await reload(config(taken, patient), REFUSED);
    expect(refused).toMatchObject({ problems: `cannot listen on 127.0.0.1:${taken}: the port is in use` });
    expect((await beat(port)).status).toBe(401);
    expect((await beat(port, {}, { token: 'a-third-long-token' })).status).toBe(200);

    await reload(config(other, patient));
    expect((await beat(other)).status).toBe(200);
    await expect(beat(port)).rejects.toThrow();

    // The same port of another address, which overlaps with the one that is held.
    await reload(config(other, patient).replace('127.0.0.1', '0.0.0.0'));
    expect((await beat(other)).status).toBe(200);
    await reload(config(other, patient).replace('127.0.0.1', '192.0.2.1'), REFUSED);
    expect((await beat(other)).status).toBe(200);

    await reload(config(other));
    await expect(beat(other)).rejects.toThrow();
    agent.signal('SIGTERM');
    expect((await agent.exited).code).toBe(0);
    expect(agent.records.filter(is('trouble'))).toEqual([]);
  });
});
