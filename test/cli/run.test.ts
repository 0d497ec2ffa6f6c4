import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LogRecord, startAgent } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { closedPort, serve } from '../support/servers.ts';
import { yamlFile } from '../support/yaml-file.ts';

const FAST = 'interval: 200ms, timeout: 150ms, retry_interval: 50ms';

function is(msg: string, fields: Readonly<Record<string, unknown>> = {}): (record: LogRecord) => boolean {
  return (record) =>
    record.msg === msg && Object.entries(fields).every(([key, value]) => record[key] === value);
}

function run(file: string, ...options: string[]) {
  return startAgent(['run', file, '--log', 'json', ...options]);
}

describe('the log', () => {
  test('tells every change of state and every hook result with the agreed keys', async () => {
    const port = await closedPort();
    const file = yamlFile(`
confirm: 0s
defaults: { ${FAST}, failure_threshold: 2 }
targets: [{ name: a, tcp: "127.0.0.1:${port}", notify: ops }]
hooks: { ops: { shell: "echo told" } }
`);
    const agent = run(file);
    await agent.waitFor(is('hook', { event: 'down' }));
    const server = createServer((socket) => socket.on('error', () => {}));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await agent.waitFor(is('hook', { event: 'up' }));
    agent.signal('SIGTERM');
    expect(await agent.exited).toEqual({ code: 0, signal: null });
    server.close();

    const transitions = agent.records.filter(is('transition'));
    expect(transitions.map(({ from, to }) => `${String(from)} ${String(to)}`)).toEqual([
      'unknown suspect',
      'suspect down',
      'down recovering',
      'recovering up',
    ]);
    const down = transitions[1]!;
    expect(down).toMatchObject({
      target: 'a',
      reason: 'refused',
      class: 'explicit',
      attempt: 2,
      level: 'error',
    });
    expect(down['incident']).toMatch(/^a-[0-9a-z]+$/);
    expect(down['at']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    for (const key of ['target', 'from', 'to', 'reason', 'class', 'message', 'attempt', 'incident', 'at']) {
      for (const transition of transitions) expect(transition).toHaveProperty(key);
    }
    expect(transitions[3]).toMatchObject({ reason: null, class: null, incident: down['incident'] });
    expect(agent.records.filter(is('hook'))).toMatchObject([
      { target: 'a', hook: 'ops', kind: 'shell', event: 'down', ok: true, tries: 1, detail: 'told' },
      { target: 'a', hook: 'ops', kind: 'shell', event: 'up', ok: true, tries: 1, detail: 'told' },
    ]);
    expect(agent.records.filter(is('attempt'))).toEqual([]);
    expect(agent.records.at(-1)).toMatchObject({ msg: 'stopped', missed: expect.any(Number) as number });
  });

  test('the command gets the event on stdin and in its environment, and no more of ours', async () => {
    const file = yamlFile(`
confirm: 0s
defaults: { ${FAST}, failure_threshold: 1 }
targets: [{ name: a, tcp: "127.0.0.1:${await closedPort()}", notify: dump, group: g, labels: { tier: x } }]
hooks: { dump: { shell: { command: "cat > stdin.json; env > env.txt", env: { OWN: "1" } } } }
`);
    const agent = startAgent(['run', file, '--log', 'json'], { env: { NOT_FOR_HOOKS: 'x' } });
    const result = await agent.waitFor(is('hook'));
    expect(result['ok']).toBe(true);
    const event = JSON.parse(readFileSync(join(dirname(file), 'stdin.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    expect(event).toMatchObject({
      id: `${String(event['incident'])}/down`,
      event: 'down',
      target: 'a',
      group: 'g',
      labels: { tier: 'x' },
      probe: 'tcp',
      state: 'down',
      reason: 'refused',
      class: 'explicit',
      attempt: 1,
    });
    const env = readFileSync(join(dirname(file), 'env.txt'), 'utf8');
    for (const line of [
      'VITALD_TARGET=a',
      'VITALD_STATE=down',
      'VITALD_REASON=refused',
      'VITALD_ATTEMPT=1',
      'OWN=1',
    ]) {
      expect(env.split('\n')).toContain(line);
    }
    expect(env).toContain(`VITALD_INCIDENT=${String(event['incident'])}`);
    expect(env).not.toContain('NOT_FOR_HOOKS');
  });
});

describe('reload', () => {
  test('a changed file is read by itself, also when another file takes its place', async () => {
    const port = await serve(createServer());
    const target = (name: string): string => `{ name: ${name}, tcp: "127.0.0.1:${port}", ${FAST} }`;
    const file = yamlFile(`targets: [${target('a')}]`);
    const agent = run(file);
    await agent.waitFor(is('transition', { target: 'a' }));
    writeFileSync(file, `targets: [${target('a')}, ${target('b')}]`);
    const first = await agent.waitFor(is('reloaded'));
    expect(first).toMatchObject({ why: 'a file changed', added: 1, removed: 0, changed: 0, kept: 1 });
    await agent.waitFor(is('transition', { target: 'b' }));
    writeFileSync(`${file}.new`, `targets: [${target('c')}]`);
    renameSync(`${file}.new`, file);
    const second = await agent.waitFor(is('reloaded'), { after: first });
    expect(second).toMatchObject({ added: 1, removed: 2 });
  });

  test('a bad file leaves the running configuration alone and says what is wrong', async () => {
    const port = await serve(createServer());
    const file = yamlFile(`targets: [{ name: a, tcp: "127.0.0.1:${port}", ${FAST} }]`);
    const agent = run(file, '--log-level', 'debug');
    await agent.waitFor(is('transition'));
    writeFileSync(file, 'targets: [{ name: a, tpc: "h:1" }]');
    const refused = await agent.waitFor(is('reload refused, the running configuration goes on'));
    expect(refused['problems']).toContain(`${file}:1:22: unknown key "tpc"; did you mean "tcp"?`);
    await agent.waitFor(is('attempt', { target: 'a', status: 'ok' }), { after: refused });
  });

  test('a hundred reloads under load: no attempt doubled or lost, no state lost, nothing leaked', async () => {
    const port = await serve(createServer());
    const targets = Array.from({ length: 60 }, (_, i) => `{ name: t${i}, tcp: "127.0.0.1:${port}" }`);
    const file = yamlFile(`
confirm: 0s
defaults: { interval: 300ms, timeout: 250ms }
concurrency: { per_host: 64 }
targets: [${targets.join(', ')}]
`);
    const agent = run(file, '--log-level', 'debug');
    const up = (): LogRecord[] => agent.records.filter(is('transition', { from: 'unknown', to: 'up' }));
    await agent.waitFor(() => up().length === 60);
    const before = openFiles(agent.pid);
    let last: LogRecord | undefined;
    for (let i = 0; i < 100; i++) {
      agent.signal('SIGHUP');
      last = await agent.waitFor(is('reloaded'), last ? { after: last } : {});
      expect(last).toMatchObject({ added: 0, removed: 0, changed: 0, kept: 60 });
    }
    for (let i = 0; i < 60; i++) await agent.waitFor(is('attempt', { target: `t${i}` }), { after: last! });
    expect(openFiles(agent.pid)).toBeLessThan(before + 70);
    agent.signal('SIGTERM');
    expect((await agent.exited).code).toBe(0);
    expect(up().length).toBe(60);
    for (let i = 0; i < 60; i++) {
      const numbers = agent.records.filter(is('attempt', { target: `t${i}` })).map(({ attempt }) => attempt);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
    expect(agent.stderr()).not.toContain('MaxListenersExceeded');
  });
});

describe('the end', () => {
  const UNBRAKED = '{ start_grace: 0s, per_group: 1000/1s, overall: 1000/1s }';

  /** A hook that ignores TERM, recognisable in the list of processes. */
  const stubborn = (mark: string): string => `trap "" TERM; echo started; sleep ${mark} & wait; wait`;

  async function hanging(mark: string, count: number, grace: string) {
    const port = await closedPort();
    const targets = Array.from(
      { length: count },
      (_, i) => `{ name: t${i}, group: g${i}, tcp: "127.0.0.1:${port}", recover: stuck }`,
    );
    const file = yamlFile(`
confirm: 0s
defaults: { interval: 2s, timeout: 1s, retry_interval: 200ms, failure_threshold: 2 }
concurrency: { per_host: 256 }
stop_grace: ${grace}
recovery: ${UNBRAKED}
targets: [${targets.join(', ')}]
hooks: { stuck: { shell: '${stubborn(mark)}', timeout: 1h } }
`);
    return run(file, '--log-level', 'debug');
  }

  test('200 targets down at once with a step that hangs: probing goes on, and SIGTERM leaves no process', async () => {
    const mark = `4${process.pid}.125`;
    const agent = await hanging(mark, 200, '300ms');
    await agent.waitFor(() => agent.records.filter(is('transition', { to: 'down' })).length === 200);
    const last = agent.records.at(-1)!;
    for (let i = 0; i < 200; i++) {
      const first = await agent.waitFor(is('attempt', { target: `t${i}` }), { after: last });
      await agent.waitFor(is('attempt', { target: `t${i}` }), { after: first });
    }
    await agent.waitFor(() => agent.records.filter(is('recovery begins')).length === 200);
    expect(processes(mark)).not.toEqual([]);
    agent.signal('SIGTERM');
    expect((await agent.exited).code).toBe(0);
    // One that was killed is listed until it has been reaped.
    await eventually(() => expect(processes(mark)).toEqual([]));
    expect(agent.records.filter(is('recovery acted', { ok: false })).length).toBe(200);
  });

  test('hooks may finish within the grace', async () => {
    const file = yamlFile(`
confirm: 0s
defaults: { ${FAST}, failure_threshold: 1 }
targets: [{ name: a, tcp: "127.0.0.1:${await closedPort()}", recover: slow }]
recovery: ${UNBRAKED}
hooks: { slow: { shell: "touch begun; while [ ! -e go ]; do sleep 0.05; done; echo finished" } }
`);
    const agent = run(file);
    await agent.waitFor(is('recovery begins'));
    agent.signal('SIGTERM');
    await agent.waitFor(is('stopping'));
    // A reload comes too late, and does no harm.
    agent.signal('SIGHUP');
    writeFileSync(join(dirname(file), 'go'), '');
    expect((await agent.exited).code).toBe(0);
    expect(agent.records.find(is('recovery acted'))).toMatchObject({ ok: true, detail: 'finished' });
  });

  test('a second signal leaves at once, with exit 1, and takes the hooks along', async () => {
    const mark = `5${process.pid}.125`;
    const agent = await hanging(mark, 1, '1h');
    await agent.waitFor(is('recovery begins'));
    agent.signal('SIGTERM');
    await agent.waitFor(is('stopping'));
    // A second signal right behind the first is the same wish; this one insists until it is heard.
    const insist = setInterval(() => agent.signal('SIGTERM'), 20);
    expect((await agent.exited).code).toBe(1);
    clearInterval(insist);
    // One that was killed is listed until it has been reaped.
    await eventually(() => expect(processes(mark)).toEqual([]));
  });

  test('a signal that comes twice at once is one wish: hooks keep their grace', async () => {
    const file = yamlFile(`
confirm: 0s
defaults: { ${FAST}, failure_threshold: 1 }
targets: [{ name: a, tcp: "127.0.0.1:${await closedPort()}", recover: slow }]
recovery: ${UNBRAKED}
hooks: { slow: { shell: "while [ ! -e go ]; do sleep 0.05; done; echo finished" } }
`);
    const agent = run(file);
    await agent.waitFor(is('recovery begins'));
    agent.signal('SIGTERM');
    agent.signal('SIGINT');
    await agent.waitFor(is('stopping'));
    writeFileSync(join(dirname(file), 'go'), '');
    expect((await agent.exited).code).toBe(0);
    expect(agent.records.find(is('recovery acted'))).toMatchObject({ ok: true, detail: 'finished' });
  });

  test('SIGINT is like SIGTERM', async () => {
    const agent = run(yamlFile(`targets: [{ name: a, tcp: "127.0.0.1:${await closedPort()}" }]`));
    await agent.waitFor(is('started'));
    agent.signal('SIGINT');
    expect((await agent.exited).code).toBe(0);
  });
});

function processes(mark: string): string[] {
  return execFileSync('ps', ['-A', '-o', 'stat=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(mark) && !line.startsWith('Z'));
}

function openFiles(pid: number): number {
  try {
    return execFileSync('ls', [`/proc/${pid}/fd`], { encoding: 'utf8' })
      .trim()
      .split('\n').length;
  } catch {
    return 0;
  }
}
