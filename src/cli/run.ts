import { heartbeatProbe } from '../../probes/heartbeat.ts';
import { probes } from '../../probes/index.ts';
import { createAgent } from '../agent.ts';
import { ListenError } from '../api/listen.ts';
import type { Config } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { type Observer, combine, stackOf } from '../core/observer.ts';
import { hooks } from '../hooks/index.ts';
import { steps } from '../steps/index.ts';
import { createBeatLog } from '../observe/beat-log.ts';
import { createCounters } from '../observe/counters.ts';
import { createJudgements } from '../observe/judgements.ts';
import { createLogObserver } from '../observe/log.ts';
import { killAll } from '../process/command.ts';
import { createSystemClock } from '../runtime/system-clock.ts';
import { ownToken } from './api-token.ts';
import { UsageError, load, parse, someFiles } from './args.ts';
import { type Log, createLog } from './logger.ts';
import { toldToLeave } from './leave.ts';
import { createListener } from './listener.ts';
import type { Command } from './main.ts';
import { renderProblems } from './problems.ts';
import { createRecorder } from '../store/recorder.ts';
import { openState } from './state.ts';
import { routesOf } from './routes.ts';
import { paintFor } from './style.ts';
import { watchFiles } from './watch.ts';

const FORMATS = ['auto', 'json', 'text'] as const;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

export const run: Command = {
  synopsis: 'FILE... [--log FORMAT] [--log-level LEVEL] [--dry-run]',
  summary: 'Watches the targets until SIGTERM; SIGHUP or a changed file reloads.',
  options: [
    '--log FORMAT       json, text, or auto: text on a terminal, else json [auto]',
    '--log-level LEVEL  debug, info, warn or error; debug adds every attempt [info]',
    '--dry-run          recovery says what it would do, and does not do it',
  ],

  async run(args) {
    const { values, positionals } = parse(args, {
      log: { type: 'string' },
      'log-level': { type: 'string' },
      'dry-run': { type: 'boolean' },
    });
    const format = oneOf('--log', values.log ?? 'auto', FORMATS);
    const level = oneOf('--log-level', values['log-level'] ?? 'info', LEVELS);
    const log = createLog(format, level);
    return await runAgent(someFiles(positionals), log, {
      keepsState: true,
      isDryRun: values['dry-run'] ?? false,
    });
  },
};

export interface RunOptions {
  /** Whether what the configuration says of `state` holds; otherwise nothing outlives the process. */
  readonly keepsState: boolean;
  /** Whether recovery only says what it would do. */
  readonly isDryRun?: boolean;
  /** What the configuration becomes before it is in force. */
  readonly adjust?: (config: Config) => Config;
  readonly observers?: readonly Observer[];
  readonly stopSignal?: AbortSignal;
}

/**
 * Runs the agent until it is told to stop. Throws ConfigError where the files cannot be used from the start, ListenError
 * where the address cannot be listened on.
 */
export async function runAgent(
  files: readonly string[],
  { log, flush }: Log,
  { keepsState, isDryRun = false, adjust = (config) => config, observers = [], stopSignal }: RunOptions,
): Promise<number> {
  let config = adjust(load(files));
  let startedAt: number | undefined;
  const clock = createSystemClock();
  const counters = createCounters();
  const beatLog = createBeatLog(log, clock);
  const store = await openState(keepsState ? config.state : null, clock, log);
  const judgements = createJudgements();
  const recorder = createRecorder({ store, clock });
  const told = [createLogObserver(log), recorder, beatLog, counters, judgements.observer, ...observers];
  const listener = createListener({
    clock,
    observer: combine(told),
    routes: routesOf({
      clock,
      startedAt: () => startedAt,
      config: () => config,
      agent: () => agent,
      store,
      history: judgements.of,
    }),
    ownToken: (state) => (keepsState ? tokenBeside(state, log) : undefined),
    onListening: (address, serves) => log.info({ address, serves }, 'listening'),
    onUnserved: (detail) => log.warn({ detail }, 'the agent cannot be asked, api.listen gives it an address'),
  });
  const agent = createAgent({
    probes: { ...probes, heartbeat: heartbeatProbe(listener.inbox) },
    hooks,
    steps,
    isDryRun,
    clock,
    random: Math.random,
    observers: told,
    store,
  });

  async function reload(why: string): Promise<void> {
    try {
      await listening;
      const next = adjust(load(files));
      await listener.apply(next);
      if (next.state !== config.state)
        log.warn({ state: next.state ?? 'off' }, 'another state takes effect at the next start');
      config = next;
    } catch (error) {
      log.error({ why, problems: problemsOf(error) }, 'reload refused, the running configuration goes on');
      return;
    }
    const changes = agent.apply(config);
    judgements.retain(config.targets);
    log.info({ why, ...changes }, 'reloaded');
  }

  const leave = toldToLeave();
  const reloads = spaced(reload);
  // It stays until the end: without a handler a SIGHUP would kill us, and leave hooks behind.
  process.on('SIGHUP', () => reloads.ask('SIGHUP'));
  // It never switches on again: whoever sends it twice in a hurry means it.
  process.on('SIGUSR2', () => agent.recovery.switchOff('SIGUSR2', 'SIGUSR2'));
  const listening = listener.apply(config);
  await listening;
  // Sockets and timers come and go: the process lives for as long as the agent runs.
  const alive = setInterval(() => {}, 2 ** 30);
  const unwatch = watchFiles(files, {
    onChange: () => reloads.ask('a file changed'),
    onTrouble: (error) => log.warn({ detail: error.message }, 'files are not watched, SIGHUP still reloads'),
  });
  stopSignal?.addEventListener('abort', () => leave.stop('the end of the story'), { once: true });

  agent.apply(config);
  startedAt = clock.wallTime();
  log.info(
    { targets: config.targets.length, hooks: config.hooks.size, anchors: config.anchors.length, files },
    'started',
  );
  const why = await leave.first;
  log.info({ why, grace_ms: config.stopGraceMs }, 'stopping');
  unwatch();
  const reloaded = reloads.end();
  leave.second(() => {
    killAll();
    log.warn('stopped at once, hooks were cut short');
    // Whatever is still under way is abandoned: that is what the second signal asks for.
    void flush().then(() => process.exit(1));
  });
  await reloaded;
  await Promise.all([agent.stop(), listener.stop()]);
  await store.close();
  beatLog.end();
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
function spaced(reload: (why: string) => Promise<void>) {
  let timer: NodeJS.Timeout | undefined;
  let underWay: Promise<void> | undefined;
  let asked: string | undefined;
  let ended = false;
  let notBefore = 0;

  async function begin(why: string): Promise<void> {
    const startedAt = performance.now();
    await reload(why);
    const endedAt = performance.now();
    notBefore = endedAt + 4 * (endedAt - startedAt);
    underWay = undefined;
    if (asked !== undefined) ask(asked);
  }
  function ask(why: string): void {
    asked = why;
    // Whatever comes after the end is too late.
    if (ended || underWay) return;
    timer ??= setTimeout(
      () => {
        timer = undefined;
        asked = undefined;
        underWay = begin(why);
      },
      Math.max(0, notBefore - performance.now()),
    );
  }
  return {
    ask,
    /** Resolves when the one under way is through. */
    async end(): Promise<void> {
      ended = true;
      clearTimeout(timer);
      await underWay;
    },
  };
}

/** Without a token, whatever changes something is refused. */
function tokenBeside(state: string | null, log: Log['log']): string | undefined {
  try {
    return state === null ? undefined : ownToken(state);
  } catch (error) {
    log.warn(
      { detail: (error as Error).message },
      'the token of the API cannot be kept, api.token gives it one',
    );
    return undefined;
  }
}

function problemsOf(error: unknown): string {
  if (error instanceof ConfigError) return renderProblems(error.problems, paintFor(process.stdout));
  if (error instanceof ListenError) return error.message;
  // A bug of ours in reading a file is no reason to stop watching the services either.
  return `our own trouble: ${stackOf(error)}`;
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new UsageError(`${option} takes ${allowed.join(', ')}, not "${value}"`);
  return found;
}
