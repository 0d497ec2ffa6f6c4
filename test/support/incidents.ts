import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type LogRecord, type RunningAgent, runCli, startAgent } from './cli.ts';
import { type RealServer, temporaryDirectory, wake } from './real-server.ts';

export interface WatchOptions {
  /** The target's probe, as in YAML: `{ tcp: '127.0.0.1:5432' }`. */
  readonly probe: Readonly<Record<string, unknown>>;
  /** A line for the shell that mends the server. */
  readonly mend: string;
  readonly rules?: Readonly<Record<string, string | number>>;
}

/** A real agent that watches one real server. */
export interface Watch {
  readonly agent: RunningAgent;
  /** Waits for the change to this state that comes after the given record. */
  reaches(state: string, after?: LogRecord): Promise<LogRecord>;
  /** Waits until the server is found down, and has failed three more times. */
  staysDown(after: LogRecord): Promise<LogRecord>;
  /** Waits until the server that is down has been verified to be up again. */
  recovers(down: LogRecord): Promise<LogRecord>;
  /** Stops the agent, and checks all of its story: the changes of state, and each hook once for each fall. */
  ends(falls: readonly Expected[]): Promise<void>;
}

/** What a fall must look like in the log. */
export interface Expected {
  readonly reason: string;
  readonly class: string;
}

export const REFUSED: Expected = { reason: 'refused', class: 'explicit' };
export const SILENT: Expected = { reason: 'timeout', class: 'silent' };

const TARGET = 'server';

/** As short as a busy machine with two cores bears. */
const RULES = { interval: '500ms', timeout: '400ms', retry_interval: '100ms' };

/** Brakes are tested elsewhere: here every incident is acted on at once. */
export const UNBRAKED = {
  start_grace: '0s',
  cool_down: '0s',
  per_target: '1000/1s',
  per_day: 1000,
  per_group: '1000/1s',
  overall: '1000/1s',
} as const;

export async function watch({ probe, mend, rules = RULES }: WatchOptions): Promise<Watch> {
  const directory = temporaryDirectory();
  const file = join(directory, 'targets.yaml');
  const told = join(directory, 'told');
  const mended = join(directory, 'mended');
  writeConfig(file, {
    // Counts alone decide: what the windows add is tested on the fake clock.
    confirm: '0s',
    defaults: { ...rules, failure_threshold: 3, success_threshold: 2 },
    targets: [
      { name: TARGET, ...probe, notify: 'tell', recover: 'mend', verify: { successes: 1, stable: '0s' } },
    ],
    recovery: UNBRAKED,
    hooks: {
      tell: { shell: 'echo "$VITALD_EVENT $VITALD_INCIDENT" >> told' },
      mend: [{ shell: `echo "$VITALD_INCIDENT" >> mended; ${mend}`, attempts: 100, settle: '0s' }],
    },
  });
  const agent = startAgent(['run', file, '--log', 'json', '--log-level', 'debug']);

  const reaches: Watch['reaches'] = (state, after) =>
    agent.waitFor(({ msg, to }) => msg === 'transition' && to === state, after ? { after } : {});

  return {
    agent,
    reaches,
    async staysDown(after) {
      let last = await reaches('down', after);
      for (let more = 0; more < 3; more++) {
        last = await agent.waitFor(({ msg }) => msg === 'attempt', { after: last });
        expect(last).toMatchObject({ status: 'fail', state: 'down' });
      }
      return last;
    },
    async recovers(down) {
      return await reaches('up', await reaches('recovering', down));
    },
    async ends(falls) {
      await hooksAreDone(agent, falls.length);
      agent.signal('SIGTERM');
      expect(await agent.exited).toEqual({ code: 0, signal: null });
      const ids = checkTransitions(agent.records, falls);
      expect(lines(mended)).toEqual(ids);
      expect(lines(told)).toEqual(ids.flatMap((id) => [`down ${id}`, `up ${id}`]));
      const results = agent.records.filter(({ msg }) => msg === 'hook');
      expect(results.filter(({ ok }) => ok !== true)).toEqual([]);
      expect(results).toHaveLength(2 * falls.length);
      const acts = agent.records.filter(({ msg }) => msg === 'recovery acted');
      expect(acts.map(({ ok }) => ok)).toEqual(falls.map(() => true));
      const outcomes = agent.records.filter(({ msg }) => msg === 'recovery outcome');
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(falls.map(() => 'recovered'));
      expect(agent.records.filter(({ msg }) => msg === 'trouble')).toEqual([]);
    },
  };
}

/** The story of a server that runs: it is up, frozen until the hook wakes it, stopped, and started by hand. */
export async function outlives(server: RealServer, probe: WatchOptions['probe']): Promise<void> {
  const watching = await watch({ probe, mend: wake(server) });
  await isFrozenThenStopped(watching, server, await watching.reaches('up'));
  await watching.ends([SILENT, REFUSED]);
}

/** Both falls of that story, for a watch whose hook wakes the server. */
export async function isFrozenThenStopped(
  { reaches, staysDown, recovers }: Watch,
  server: RealServer,
  up: LogRecord,
): Promise<void> {
  server.freeze();
  const thawed = await recovers(await reaches('down', up));
  await server.stop();
  const down = await staysDown(thawed);
  await server.start();
  await recovers(down);
}

/** What `vitald once --json` says of each probe, by its name here. */
export async function askOnce(probes: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
  const file = join(temporaryDirectory(), 'targets.yaml');
  const targets = Object.entries(probes).map(([name, probe]) => ({ name, ...(probe as object) }));
  writeConfig(file, { targets });
  const { stdout, stderr } = await runCli(['once', file, '--json']);
  const reports = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { target: string });
  expect(reports, stderr).toHaveLength(targets.length);
  return Object.fromEntries(reports.map((report) => [report.target, report]));
}

/** JSON is YAML, and quotes everything that there is to quote. */
function writeConfig(file: string, config: unknown): void {
  writeFileSync(file, JSON.stringify(config, undefined, 2));
}

/** The last hook to end is the one that tells of the last recovery. */
async function hooksAreDone(agent: RunningAgent, falls: number): Promise<void> {
  const ends = () => agent.records.filter(({ msg }) => msg === 'hook').length;
  await agent.waitFor(() => ends() >= 2 * falls);
}

/** The incident's id, once for each time that it began. */
function checkTransitions(records: readonly LogRecord[], falls: readonly Expected[]): string[] {
  const changes = settled(records.filter(({ msg }) => msg === 'transition'));
  const opened = changes.filter(({ to }) => to === 'down');
  expect(changes).toMatchObject([
    { from: 'unknown', to: 'up', reason: null, class: null, incident: null },
    ...falls.flatMap((expected, index) => {
      const incident = opened[index]?.['incident'] ?? 'never opened';
      return [
        // A server that dies with a connection open resets that one, and refuses the next.
        { from: 'up', to: 'suspect', class: expected.class, incident: null },
        { from: 'suspect', to: 'down', ...expected, incident },
        { from: 'down', to: 'recovering', reason: null, class: null, incident },
        { from: 'recovering', to: 'up', reason: null, class: null, incident },
      ];
    }),
  ]);
  const ids = opened.map(({ incident }) => String(incident));
  // Down again within ten minutes is the same incident.
  expect(new Set(ids).size).toBe(1);
  return ids;
}

/** Leaves out a suspicion that came to nothing: on a busy machine an answer may well be late, once. */
function settled(changes: readonly LogRecord[]): LogRecord[] {
  return changes.filter((change, index) => {
    const [before, next] = [changes[index - 1], changes[index + 1]];
    const raised = change['from'] === 'up' && change['to'] === 'suspect' && next?.['to'] === 'up';
    const dropped = change['from'] === 'suspect' && change['to'] === 'up' && before?.['from'] === 'up';
    return !raised && !dropped;
  });
}

function lines(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}
