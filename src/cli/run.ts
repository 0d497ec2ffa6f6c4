import { probes } from '../../probes/index.ts';
import { createAgent } from '../agent.ts';
import { ConfigError } from '../config/problem.ts';
import { type Observer, stackOf } from '../core/observer.ts';
import { hooks } from '../hooks/index.ts';
import { createCounters } from '../observe/counters.ts';
import { createLogObserver } from '../observe/log.ts';
import { killAll } from '../process/command.ts';
import { createSystemClock } from '../runtime/system-clock.ts';
import { UsageError, load, parse, someFiles } from './args.ts';
import { type Log, createLog } from './logger.ts';
import type { Command } from './main.ts';
import { renderProblems } from './problems.ts';
import { paintFor } from './style.ts';
import { watchFiles } from './watch.ts';

const FORMATS = ['auto', 'json', 'text'] as const;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export const run: Command = {
  synopsis: 'FILE... [--log auto|json|text] [--log-level debug|info|warn|error]',
  summary: 'Watches the targets until SIGTERM; SIGHUP or a changed file reloads.',
  options: [
    '--log FORMAT       json (lines), text (for people), or auto: text on a terminal [auto]',
    '--log-level LEVEL  debug adds every attempt [info]',
  ],

  async run(args) {
    const { values, positionals } = parse(args, { log: { type: 'string' }, 'log-level': { type: 'string' } });
    const format = oneOf('--log', values.log ?? 'auto', FORMATS);
    const level = oneOf('--log-level', values['log-level'] ?? 'info', LEVELS);
    const log = createLog(format, level);
    return await runAgent(someFiles(positionals), log, []);
  },
};

/** Runs the agent until it is told to stop. Throws ConfigError where the files cannot be used from the start. */
export async function runAgent(
  files: readonly string[],
  { log, flush }: Log,
  observers: readonly Observer[],
  stopSignal?: AbortSignal,
): Promise<number> {
  let config = load(files);
  // Sockets and timers come and go: the process lives for as long as the agent runs.
  const alive = setInterval(() => {}, 2 ** 30);
  const counters = createCounters();
  const agent = createAgent({
    probes,
    hooks,
    clock: createSystemClock(),
    random: Math.random,
    observers: [createLogObserver(log), counters, ...observers],
  });

  function reload(why: string): void {
    try {
      config = load(files);
    } catch (error) {
      // A bug of ours in reading a file is no reason to stop watching the services either.
      const problems =
        error instanceof ConfigError
          ? renderProblems(error.problems, paintFor(process.stdout))
          : `our own trouble: ${stackOf(error)}`;
      log.error({ why, problems }, 'reload refused, the running configuration goes on');
      return;
    }
    const { abandoned, ...changes } = agent.apply(config);
    log.info({ why, ...changes }, 'reloaded');
    if (abandoned.length > 0) log.warn({ targets: abandoned }, 'targets removed with an open incident');
  }

  const leave = told();
  const reloads = spaced(reload);
  // It stays until the end: without a handler a SIGHUP would kill us, and leave hooks behind.
  process.on('SIGHUP', () => reloads.ask('SIGHUP'));
  const unwatch = watchFiles(files, {
    onChange: () => reloads.ask('a file changed'),
    onTrouble: (error) => log.warn({ detail: error.message }, 'files are not watched, SIGHUP still reloads'),
  });
  stopSignal?.addEventListener('abort', () => leave.stop('the end of the story'), { once: true });

  agent.apply(config);
  log.info({ targets: config.targets.length, hooks: config.hooks.size, files }, 'started');
  const why = await leave.first;
  log.info({ why, grace_ms: config.stopGraceMs }, 'stopping');
  unwatch();
  reloads.end();
  leave.second(() => {
    killAll();
    log.warn('stopped at once, hooks were cut short');
    // Whatever is still under way is abandoned: that is what the second signal asks for.
    void flush().then(() => process.exit(1));
  });
  await agent.stop();
  log.info({ ...counters.totals() }, 'stopped');
  await flush();
  leave.forget();
  clearInterval(alive);
  return 0;
}

/**
 * Reading the files stops everything else for a moment: however often a reload is asked for, it takes at most a fifth of
 * the time, and what was asked meanwhile is done once.
 */
function spaced(reload: (why: string) => void) {
  let timer: NodeJS.Timeout | undefined;
  let notBefore = 0;
  return {
    ask(why: string): void {
      timer ??= setTimeout(
        () => {
          timer = undefined;
          const startedAt = performance.now();
          reload(why);
          const endedAt = performance.now();
          notBefore = endedAt + 4 * (endedAt - startedAt);
        },
        Math.max(0, notBefore - performance.now()),
      );
    },
    end(): void {
      clearTimeout(timer);
      // Whatever comes now is too late.
      timer = setTimeout(() => {}, 0);
    },
  };
}

/** One wish may come as two signals: `timeout` and `npm start` pass on what the process group has had already. */
const SAME_WISH_MS = 50;

/** SIGTERM and SIGINT: the first one asks for an orderly stop, the second one means it. */
function told() {
  let onSecond: () => void = () => {};
  let resolve: (why: string) => void = () => {};
  const first = new Promise<string>((done) => {
    resolve = done;
  });
  let count = 0;
  let firstAt = 0;
  function stop(why: string): void {
    if (count > 0 && performance.now() - firstAt < SAME_WISH_MS) return;
    count++;
    if (count > 1) return onSecond();
    firstAt = performance.now();
    resolve(why);
  }
  const onSignal = (signal: NodeJS.Signals): void => stop(signal);
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return {
    first,
    stop,
    second(act: () => void): void {
      onSecond = act;
      if (count > 1) act();
    },
    forget(): void {
      process.off('SIGTERM', onSignal);
      process.off('SIGINT', onSignal);
    },
  };
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new UsageError(`${option} takes ${allowed.join(', ')}, not "${value}"`);
  return found;
}
