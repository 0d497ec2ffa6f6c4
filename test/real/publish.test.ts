import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type LogRecord, type RunningAgent, runCli, startAgent } from '../support/cli.ts';
import { findPrograms } from '../support/programs.ts';
import { adopt, freePort, realServer, temporaryDirectory, until } from '../support/real-server.ts';

const found = findPrograms([{ program: 'haproxy', from: 'haproxy' }]);

const NODES = ['web-1', 'web-2', 'web-3'] as const;

/** What a node is: it says its name, and leaves its pid. */
const NODE = `
  const [, port, name, pidFile] = process.argv;
  require('fs').writeFileSync(pidFile, String(process.pid));
  require('http').createServer((_, answer) => answer.end(name)).listen(+port, '127.0.0.1');
`;

interface Settings {
  readonly group?: object;
  /** A ladder that starts the node anew. */
  readonly recovers?: boolean;
}

/** Three nodes, a HAProxy before them that believes what an agent says, and the agent. */
async function setUp({ group = {}, recovers = false }: Settings = {}) {
  const directory = temporaryDirectory();
  const ports = [await freePort(), await freePort(), await freePort()];
  const [port, stats, agentPort, api] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const script = join(directory, 'node.cjs');
  writeFileSync(script, NODE.replace('[, port', '[, , port'));
  const nodes = NODES.map((name, index) => {
    const pidFile = join(directory, `${name}.pid`);
    adopt(pidFile);
    const argv = [process.execPath, script, String(ports[index]), name, pidFile] as const;
    return { name, argv, ...realServer({ argv, port: ports[index]!, cwd: directory }) };
  });
  // Neither a check of its own nor a second try: what fails is seen.
  const balancer = join(directory, 'haproxy.cfg');
  writeFileSync(
    balancer,
    `
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  timeout check 2s
  retries 0
frontend web
  bind 127.0.0.1:${port}
  default_backend web
frontend stats
  bind 127.0.0.1:${stats}
  stats enable
  stats uri /
backend web
  balance roundrobin
  option http-server-close
${nodes
  .map(
    (node) =>
      `  server ${node.name} 127.0.0.1:${node.port} agent-check agent-addr 127.0.0.1 agent-port ${agentPort} agent-inter 100ms agent-send "${node.name}\\n"`,
  )
  .join('\n')}
`,
  );
  const haproxy = realServer({ argv: [found![0], '-f', balancer, '-db'], port, cwd: directory });

  const file = join(directory, 'targets.yaml');
  const start = nodes.map(({ argv }) => argv.map((word) => `'${word}'`).join(' '));
  writeFileSync(
    file,
    JSON.stringify({
      state: './vitald.db',
      api: { listen: `127.0.0.1:${api}` },
      confirm: '0s',
      defaults: { interval: '500ms', timeout: '500ms', retry_interval: '100ms', failure_threshold: 3 },
      recovery: { start_grace: '0s' },
      groups: { web: { at_least: 1, ...group } },
      targets: nodes.map(({ name, port }, index) => ({
        name,
        group: 'web',
        http: `http://127.0.0.1:${port}/`,
        ...(recovers && {
          recover: `start-${index}`,
          verify: { successes: 2, within: '30s', stable: '1s' },
        }),
      })),
      hooks: Object.fromEntries(
        recovers
          ? start.map((line, index) => [
              `start-${index}`,
              [{ shell: `setsid -f ${line} >/dev/null 2>&1`, settle: '100ms' }],
            ])
          : [],
      ),
      publish: [
        { agent_check: `127.0.0.1:${agentPort}` },
        // oxlint-disable-next-line unicorn/no-thenable
        { file: { group: 'web', path: 'web.map', format: 'haproxy_map', then: ['touch', 'reloaded'] } },
      ],
    }),
  );
  for (const node of nodes) await node.start();
  await haproxy.start();
  const agent = startAgent(['run', file, '--log', 'json']);
  await agent.waitFor(({ msg, published }) => msg === 'published' && published === 3);

  return {
    nodes,
    file,
    agent,
    directory,
    api,
    load: keepAsking(port),
    /** What HAProxy takes a server for; one that is up and has no other check is `no check`. */
    balances: (name: string, as: string) =>
      until(`HAProxy to take ${name} for ${as}`, async () => (await stateAt(stats, name)).includes(as)),
  };
}

async function stateAt(port: number, name: string): Promise<string> {
  const { text } = await ask(port, '/;csv');
  const [head, ...rows] = text.split('\n').map((line) => line.replace(/^# /, '').split(','));
  const row = rows.find(([proxy, server]) => proxy === 'web' && server === name);
  return row?.[head!.indexOf('status')] ?? '';
}

function ask(port: number, path: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, text: error.message });
    const request = get(
      { port, host: '127.0.0.1', path, agent: new Agent({ keepAlive: false }) },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        answer.once('error', failed);
      },
    );
    request.once('error', failed);
  });
}

interface Load {
  /** Of all requests so far. */
  failures(): number;
  /** Waits for so many requests that begin after this; what came of them. */
  next(count: number): Promise<{ readonly failed: number; readonly from: string[] }>;
}

const loads: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(loads.splice(0).map((load) => load.stop()));
});

/** Clients that ask again and again, each over a new connection. */
function keepAsking(port: number): Load {
  const answers: { readonly begun: number; readonly status: number; readonly text: string }[] = [];
  let begun = 0;
  const end = new AbortController();
  async function client(): Promise<void> {
    while (!end.signal.aborted) {
      const mine = begun++;
      answers.push({ begun: mine, ...(await ask(port, '/')) });
    }
  }
  const clients = [client(), client(), client(), client()];
  loads.push({
    async stop() {
      end.abort();
      await Promise.all(clients);
    },
  });
  return {
    failures: () => answers.filter(({ status }) => status !== 200).length,
    async next(count) {
      const from = begun;
      const mine = () => answers.filter((answer) => answer.begun >= from);
      await until(`${count} requests`, () => Promise.resolve(mine().length >= count));
      const seen = mine();
      return {
        failed: seen.filter(({ status }) => status !== 200).length,
        from: [...new Set(seen.filter(({ status }) => status === 200).map(({ text }) => text))].toSorted(),
      };
    },
  };
}

/** The set has become this, by the agent's own word. */
function publishes(
  agent: RunningAgent,
  names: readonly string[],
  change: 'added' | 'removed',
  after?: LogRecord,
) {
  return agent.waitFor(
    (record) => record.msg === 'published' && JSON.stringify(record[change]) === JSON.stringify(names),
    after ? { after } : {},
  );
}

const REQUESTS = 400;

describe.skipIf(!found)('HAProxy with agent checks', () => {
  test('a node that dies is withdrawn, and from then on no request fails; it comes back when it is verified', async () => {
    const { nodes, agent, load, balances } = await setUp();
    expect(await load.next(REQUESTS)).toEqual({ failed: 0, from: [...NODES] });
    await nodes[0]!.stop();
    const out = await publishes(agent, ['web-1'], 'removed');
    await balances('web-1', 'DOWN');
    expect(await load.next(REQUESTS)).toEqual({ failed: 0, from: ['web-2', 'web-3'] });
    await nodes[0]!.start();
    await publishes(agent, ['web-1'], 'added', out);
    await balances('web-1', 'no check');
    expect(await load.next(REQUESTS)).toEqual({ failed: 0, from: [...NODES] });
    // An agent that is gone changes nothing.
    agent.signal('SIGTERM');
    expect(await agent.exited).toEqual({ code: 0, signal: null });
    expect(await load.next(REQUESTS)).toEqual({ failed: 0, from: [...NODES] });
  });

  test('a node that is drained before it is stopped loses no request at all', async () => {
    const { nodes, agent, load, balances, file } = await setUp();
    const wish = ['--for', '10m', '--reason', 'deploy'];
    expect(await runCli(['pause', 'web-1', '--drain', ...wish, file])).toMatchObject({ code: 0 });
    await balances('web-1', 'DRAIN');
    await nodes[0]!.stop();
    expect(await load.next(REQUESTS)).toEqual({ failed: 0, from: ['web-2', 'web-3'] });
    await nodes[0]!.start();
    const down = await agent.waitFor(({ msg, published }) => msg === 'published' && published === 2);
    await runCli(['resume', 'web-1', file]);
    await publishes(agent, ['web-1'], 'added', down);
    await balances('web-1', 'no check');
    expect(await load.next(REQUESTS)).toEqual({ failed: 0, from: [...NODES] });
    expect(load.failures()).toBe(0);
  });

  test('two of three that die are a panic: all of them are published', async () => {
    const { nodes, agent, balances, api } = await setUp();
    await nodes[0]!.stop();
    await publishes(agent, ['web-1'], 'removed');
    await balances('web-1', 'DOWN');
    await nodes[1]!.stop();
    expect(await agent.waitFor(({ panic }) => panic === true)).toMatchObject({ level: 'warn', published: 3 });
    const { text } = await ask(api, '/api/v1/groups/web/members?healthy');
    expect(JSON.parse(text)).toMatchObject({ panic: true, members: NODES.map((name) => ({ name })) });
    await balances('web-1', 'no check');
    await balances('web-2', 'no check');
  });

  test('drain, act, warm, undrain around a recovery', async () => {
    const { nodes, agent, load, balances } = await setUp({
      recovers: true,
      group: { drain: '2s', warm: '2s' },
    });
    await nodes[2]!.stop();
    const out = await publishes(agent, ['web-3'], 'removed');
    await balances('web-3', 'DOWN');
    const during = load.next(REQUESTS);
    const acts = await agent.waitFor(({ msg }) => msg === 'recovery begins', { after: out });
    const verified = await agent.waitFor(({ msg }) => msg === 'recovery outcome', { after: acts });
    const back = await publishes(agent, ['web-3'], 'added', verified);
    const between = (a: LogRecord, b: LogRecord): number => Date.parse(b.time) - Date.parse(a.time);
    expect(verified).toMatchObject({ target: 'web-3', outcome: 'recovered' });
    expect(between(out, acts)).toBeGreaterThanOrEqual(1_990);
    expect(between(verified, back)).toBeGreaterThanOrEqual(1_990);
    expect(await during).toEqual({ failed: 0, from: ['web-1', 'web-2'] });
    await balances('web-3', 'no check');
    expect(await load.next(REQUESTS)).toEqual({ failed: 0, from: [...NODES] });
  });

  test('a map as it is written is one that HAProxy reads', async () => {
    const { agent, directory } = await setUp();
    await agent.waitFor(({ msg }) => msg === 'reader reloaded');
    const config = join(directory, 'map.cfg');
    const map = join(directory, 'web.map');
    const port = await freePort();
    writeFileSync(
      config,
      `
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend web
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain lf-string %[str(web-1),map(${map},down)],%[str(web-9),map(${map},down)]
`,
    );
    execFileSync(found![0], ['-c', '-f', config]);
    await realServer({ argv: [found![0], '-f', config, '-db'], port, cwd: directory }).start();
    expect((await ask(port, '/')).text).toBe('up,down');
  });
});
