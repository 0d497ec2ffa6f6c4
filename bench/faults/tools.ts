import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ANCHOR } from './world.ts';

/** A prober at work. */
export interface Tool {
  readonly name: string;
  /** Verdicts of down so far, with the time at which we read of them, ms. */
  readonly downs: readonly { readonly port: number; readonly at: number }[];
  /** Resolves once it believes that all is well. */
  readonly ready: Promise<void>;
  /** Notifications: of the agent, those that its hook got; of others, all changes that they have logged. */
  told(): number;
  /** Whether it can start recovery actions, and how many it has started. */
  readonly acts: boolean;
  actions(): number;
  signal(signal: NodeJS.Signals): void;
  /** Sets the wall clock that it sees, by so many seconds; only where it was started with a clock of its own. */
  setClock(seconds: number): void;
  stop(): Promise<void>;
}

export interface ToolOptions {
  readonly ports: readonly number[];
  /** With a wall clock of its own, through libfaketime. */
  readonly ownClock: boolean;
}

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const AGENT = join(import.meta.dirname, '../../src/bin.js');

export function hasFaketime(): boolean {
  return existsSync(FAKETIME);
}

/** How to start one kind of prober. */
export interface Recipe {
  readonly name: string;
  /** The program that has to be installed. */
  readonly needs: string;
  readonly acts?: boolean;
  /** No other clock can be put before it. */
  readonly readsItsOwnClock?: boolean;
  files(dir: string, ports: readonly number[]): void;
  /** What runs, each with its arguments; the first one says on its output what happens. */
  commands(dir: string, ports: readonly number[]): readonly (readonly [string, ...string[]])[];
  /** The port is the first group. */
  readonly down: RegExp;
  /** Available again; the port is the first group. */
  readonly back: RegExp;
  /** Said once for each target at the start; without it the tool takes all targets to be up. */
  readonly up?: RegExp;
}

/** So that what is not done is not done by its judgement, and not by its brakes. */
const UNBRAKED = '{ start_grace: 0s, share: 100%, panic: 100%, per_group: 1000/1s, overall: 1000/1s }';

/** `defaults`: the agent's rules, as YAML keys. */
export function vitald(name: string, defaults: string, confirm: string): Recipe {
  return {
    name,
    needs: process.execPath,
    acts: true,
    files(dir, ports) {
      const targets = ports.map(
        (port) =>
          `  - { name: "${port}", http: "http://127.0.0.1:${port}/healthz", recover: act, notify: tell }`,
      );
      const hook = (file: string): string =>
        `{ shell: "echo $VITALD_EVENT $VITALD_TARGET >> ${dir}/${file}" }`;
      const hooks = `hooks: { act: ${hook('actions')}, tell: ${hook('told')} }`;
      const own = `state: ${dir}/vitald.db\napi: { listen: off }\nrecovery: ${UNBRAKED}`;
      const head = `${own}\ndefaults: { ${defaults} }\nconfirm: { ${confirm} }\nanchors: ["${ANCHOR}"]`;
      writeFileSync(join(dir, 'config'), `${head}\n${hooks}\ntargets:\n${targets.join('\n')}\n`);
    },
    commands: (dir) => [[process.execPath, AGENT, 'run', join(dir, 'config'), '--log', 'json']],
    down: /"target":"(\d+)","from":"suspect","to":"down"/,
    back: /"target":"(\d+)","from":"recovering","to":"up"/,
    up: /"target":"(\d+)","from":"unknown","to":"up"/,
  };
}

export function isInstalled({ needs }: Recipe): boolean {
  return existsSync(needs);
}

/** How long a tool that says nothing of its start is given, ms. */
const WARM_UP_MS = 4_000;

export function startTool(recipe: Recipe, { ports, ownClock }: ToolOptions): Tool {
  const dir = mkdtempSync(join(tmpdir(), 'faults-'));
  recipe.files(dir, ports);
  const clock = join(dir, 'clock');
  writeFileSync(clock, '+0');
  const env = {
    ...process.env,
    ...(ownClock && {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }),
  };
  const children = recipe
    .commands(dir, ports)
    .map(([file, ...args]) => spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], env }));
  for (const { stdout } of children.slice(1)) stdout.resume();

  const downs: { port: number; at: number }[] = [];
  /** Some say it again in each cycle. */
  const down = new Set<number>();
  let backs = 0;
  let up = 0;
  const ready = new Promise<void>((resolve) => {
    if (!recipe.up) setTimeout(resolve, WARM_UP_MS);
    createInterface({ input: children[0]!.stdout }).on('line', (line) => {
      const fallen = Number(recipe.down.exec(line)?.[1] ?? 0);
      if (fallen > 0 && !down.has(fallen)) {
        down.add(fallen);
        downs.push({ port: fallen, at: performance.now() });
      }
      const risen = Number(recipe.back.exec(line)?.[1] ?? 0);
      if (risen > 0 && down.delete(risen)) backs++;
      if (recipe.up?.test(line) && ++up === ports.length) resolve();
    });
  });
  const signal = (name: NodeJS.Signals): void => {
    for (const child of children) child.kill(name);
  };
  return {
    name: recipe.name,
    downs,
    ready,
    told: () => (recipe.acts ? linesOf(join(dir, 'told')) : downs.length + backs),
    acts: recipe.acts ?? false,
    actions: () => linesOf(join(dir, 'actions')),
    signal,
    setClock: (seconds) => writeFileSync(clock, `${seconds < 0 ? '' : '+'}${seconds}`),
    async stop() {
      const left = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      const gone = left.map((one) => once(one, 'exit'));
      signal('SIGCONT');
      signal('SIGKILL');
      await Promise.all(gone);
      rmSync(dir, { recursive: true });
    },
  };
}

function linesOf(file: string): number {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).length : 0;
}
