import { type ChildProcess, spawn } from 'node:child_process';
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
  /** Recovery actions that it has started. */
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

export type StartTool = (options: ToolOptions) => Tool;

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';
const AGENT = join(import.meta.dirname, '../../src/bin.js');

export function hasFaketime(): boolean {
  return existsSync(FAKETIME);
}

/** `defaults`: the agent's rules, as YAML keys. */
export function vitald(name: string, defaults: string, confirm: string): StartTool {
  return (options) =>
    start(name, options, {
      files(dir) {
        const targets = options.ports.map(
          (port) => `  - { name: "${port}", http: "http://127.0.0.1:${port}/healthz", recover: act }`,
        );
        const hook = `hooks: { act: { shell: "echo $VITALD_TARGET >> ${dir}/actions" } }`;
        const head = `defaults: { ${defaults} }\nconfirm: { ${confirm} }\nanchors: ["${ANCHOR}"]\nstate: off`;
        writeFileSync(join(dir, 'config'), `${head}\n${hook}\ntargets:\n${targets.join('\n')}\n`);
      },
      argv: (dir) => [process.execPath, AGENT, 'run', join(dir, 'config'), '--log', 'json'],
      down: /"target":"(\d+)","from":"suspect","to":"down"/,
      up: /"target":"(\d+)","from":"unknown","to":"up"/,
    });
}

/** HAProxy's defaults: inter 2s, fall 3, rise 2, and a check takes at most as long as the interval. */
export const haproxy: StartTool = (options) =>
  start('HAProxy defaults', options, {
    files(dir) {
      const servers = options.ports.map((port) => `  server ${port} 127.0.0.1:${port} check`);
      writeFileSync(
        join(dir, 'config'),
        `global
  nbthread 1
  log stdout format raw daemon info
  stats socket ${dir}/socket
defaults
  log global
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
backend b
  option httpchk GET /healthz
${servers.join('\n')}
`,
      );
    },
    argv: (dir) => ['/usr/sbin/haproxy', '-db', '-f', join(dir, 'config')],
    down: /Server b\/(\d+) is DOWN/,
  });

interface Recipe {
  files(dir: string): void;
  argv(dir: string): readonly [string, ...string[]];
  /** The port is the first group. */
  readonly down: RegExp;
  /** Said once for each target at the start; without it the tool takes all targets to be up. */
  readonly up?: RegExp;
}

/** How long a tool that says nothing of its start is given, ms. */
const WARM_UP_MS = 4_000;

function start(name: string, { ports, ownClock }: ToolOptions, recipe: Recipe): Tool {
  const dir = mkdtempSync(join(tmpdir(), 'faults-'));
  recipe.files(dir);
  const clock = join(dir, 'clock');
  writeFileSync(clock, '+0');
  const [file, ...args] = recipe.argv(dir);
  const child: ChildProcess = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...process.env,
      ...(ownClock && {
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      }),
    },
  });
  const downs: { port: number; at: number }[] = [];
  let up = 0;
  const ready = new Promise<void>((resolve) => {
    if (!recipe.up) setTimeout(resolve, WARM_UP_MS);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const port = recipe.down.exec(line)?.[1];
      if (port !== undefined) downs.push({ port: Number(port), at: performance.now() });
      if (recipe.up?.test(line) && ++up === ports.length) resolve();
    });
  });
  return {
    name,
    downs,
    ready,
    actions: () => linesOf(join(dir, 'actions')),
    signal: (signal) => void child.kill(signal),
    setClock: (seconds) => writeFileSync(clock, `${seconds < 0 ? '' : '+'}${seconds}`),
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await gone;
      rmSync(dir, { recursive: true });
    },
  };
}

function linesOf(file: string): number {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).length : 0;
}
