import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer as createReceiver } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/**
 * 300 real nodes in 10 groups fail together, and an agent with its own limits looks after them:
 * `npm run bench:storm [MINUTES]`. So long it goes on with 11 of 30 failing, after the panic is over. What it prints are
 * the most that was done, beside the limits. Exit 1 where one was exceeded, or an incident not told to the end.
 */
const MINUTES = Number(process.argv[2] ?? 1);
const FIRST_PORT = 22_000;
const GROUPS = 10;
const SIZE = 30;
const COUNT = GROUPS * SIZE;
const MINUTE = 60_000;

interface Line {
  readonly msg: string;
  readonly time: string;
  readonly to?: string;
  readonly target?: string;
}

interface Told {
  readonly event: string;
  readonly incident: string;
  readonly also?: readonly Told[];
}

const lines: Line[] = [];
const messages: Told[][] = [];
const began = performance.now();

function say(text: string): void {
  process.stdout.write(`${((performance.now() - began) / 1_000).toFixed(0).padStart(5)} s  ${text}\n`);
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

function has(count: number, of: (line: Line) => boolean): () => boolean {
  return () => lines.filter(of).length >= count;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(200);
}

async function receiver(): Promise<string> {
  const server = createReceiver((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const told = JSON.parse(body) as Told;
      messages.push([told, ...(told.also ?? [])]);
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

function startAgent(dir: string, url: string): ChildProcess {
  const targets = Array.from({ length: COUNT }, (_, node) => ({
    name: `g${Math.floor(node / SIZE)}-${node % SIZE}`,
    group: `g${Math.floor(node / SIZE)}`,
    http: `http://127.0.0.1:${FIRST_PORT + node}/`,
  }));
  const config = {
    state: join(dir, 'vitald.db'),
    api: { listen: 'off' },
    anchors: 'off',
    defaults: { notify: 'ops', recover: 'mend' },
    hooks: { ops: { webhook: url, grouping: '5s' }, mend: [{ exec: ['true'], attempts: 100 }] },
    targets,
  };
  const file = join(dir, 'targets.yaml');
  writeFileSync(file, JSON.stringify(config));
  const bin = join(import.meta.dirname, '../../src/bin.js');
  const agent = spawn(process.execPath, [bin, 'run', file, '--log', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  createInterface({ input: agent.stdout }).on('line', (text) => {
    const line = JSON.parse(text) as Line;
    lines.push(line);
    // A machine that is busy otherwise delays verdicts.
    if (/doubt|sure/.test(line.msg)) say(`the agent: ${line.msg}`);
  });
  return agent;
}

/** The most of these that fall into any span of that length. */
function mostWithin(begun: readonly Line[], withinMs: number): number {
  const times = begun.map(({ time }) => Date.parse(time));
  return Math.max(0, ...times.map((at) => times.filter((one) => one >= at && one < at + withinMs).length));
}

const groupOf = ({ target = '' }: Line): string => target.split('-')[0]!;

/** The most actions in one group at once. */
function mostAtOnce(): number {
  const active = new Map<string, number>();
  let most = 0;
  for (const line of lines) {
    const change = line.msg === 'recovery begins' ? 1 : line.msg === 'recovery outcome' ? -1 : 0;
    if (change === 0) continue;
    active.set(groupOf(line), (active.get(groupOf(line)) ?? 0) + change);
    most = Math.max(most, ...active.values());
  }
  return most;
}

function verdict(): boolean {
  const begun = lines.filter(({ msg }) => msg === 'recovery begins');
  const groups = [...new Set(begun.map(groupOf))];
  const inGroup = groups.map((group) =>
    mostWithin(
      begun.filter((line) => groupOf(line) === group),
      MINUTE / 2,
    ),
  );
  const events = messages.flat().map(({ event, incident }) => `${event} ${incident}`);
  const opened = events.filter((event) => event.startsWith('down '));
  const open = opened.filter((event) => !events.includes(event.replace('down ', 'up ')));
  const rows: [string, number, number][] = [
    ['starts in 10 minutes', mostWithin(begun, 10 * MINUTE), 6],
    ['starts of a group in 30 s', Math.max(0, ...inGroup), 1],
    ['of a group at once', mostAtOnce(), SIZE / 10],
    ['incidents told, and not their end', open.length, 0],
  ];
  for (const [what, most, limit] of rows) process.stdout.write(`${what}: ${most}, the limit is ${limit}\n`);
  process.stdout.write(
    `${begun.length} actions; ${events.length} events of ${new Set(opened).size} incidents in ${messages.length} messages\n`,
  );
  return rows.every(([, most, limit]) => most <= limit) && new Set(opened).size >= COUNT;
}

const dir = mkdtempSync(join(tmpdir(), 'storm-'));
const farm = fork(new URL('farm.js', import.meta.url), [FIRST_PORT, COUNT, SIZE].map(String));
await once(farm, 'message');
const agent = startAgent(dir, await receiver());
await until(has(COUNT, ({ msg, to }) => msg === 'transition' && to === 'up'));
say(`${COUNT} nodes in ${GROUPS} groups are up`);
await pause(MINUTE / 2);
farm.send(SIZE);
say('all of them fail');
await until(has(COUNT, ({ msg, to }) => msg === 'transition' && to === 'down'));
say('all of them are down');
await pause(MINUTE / 3);
farm.send(11);
say('11 of 30 go on failing');
await until(has(GROUPS, ({ msg }) => msg === 'few of a group are bad, its recovery goes on'));
say('the panic of all groups is over');
await pause(MINUTES * MINUTE);
farm.send(0);
say('all of them answer');
await until(() => messages.flat().filter(({ event }) => event === 'up').length >= COUNT);
await pause(MINUTE / 6);
agent.kill('SIGTERM');
await once(agent, 'exit');
farm.kill();
process.exitCode = verdict() ? 0 : 1;
rmSync(dir, { recursive: true });
