import { type Facts, type Outcome, fail, ok } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { outcomeOf } from '../wire/reason.ts';
import { type Found, find } from './find.ts';
import { readStart } from './proc.ts';
import { type ProcessSettings, settings } from './settings.ts';

const MOST_TOLD = 20;

/** Processes on this host, by /proc. */
export const process: Probe<ProcessSettings> = {
  kind: 'process',
  settings,

  async attempt(settings, context) {
    const { enter, trace } = context;
    // Whatever takes long here is our own host: a deadline that passes is void.
    enter('queue');
    try {
      const found = await unlessAborted(find(settings), context);
      for (const { pid, comm, uid, argv } of found.slice(0, MOST_TOLD)) {
        trace?.({ kind: 'note', text: `${pid} ${comm}, uid ${uid}: ${argv.join(' ').slice(0, 200)}` });
      }
      return judge(found, settings, context, await uptime());
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

function judge(
  found: readonly Found[],
  settings: ProcessSettings,
  { trace }: ProbeContext,
  uptimeS: number,
): Outcome {
  const { max } = settings;
  const min = settings.min ?? (max === 0 ? 0 : 1);
  const count = found.length;
  const value = String(count);
  trace?.({ kind: 'rule', rule: 'min', passed: count >= min, value });
  if (max !== undefined) trace?.({ kind: 'rule', rule: 'max', passed: count <= max, value });
  const facts = factsOf(found, uptimeS);
  const there = count === 1 ? `1 process` : `${count} processes`;
  // Not one left: it has come to its end. Some, but not as many as there should be: that is another matter.
  if (count < min && count === 0) return fail('exit', `no such process: ${wanted(settings)}`, facts);
  if (count < min)
    return fail('mismatch', `${there}, and there should be ${min}: ${wanted(settings)}`, facts);
  if (max !== undefined && count > max) {
    return fail('mismatch', `${there}, and there may be ${max}: ${wanted(settings)}`, facts);
  }
  return ok(count === 1 ? `process ${found[0]!.pid}` : there, facts);
}

function factsOf(found: readonly Found[], uptimeS: number): Facts {
  const [oldest] = found;
  if (!oldest) return { count: 0 };
  const sum = (value: (one: Found) => number): number => found.reduce((all, one) => all + value(one), 0);
  return {
    count: found.length,
    pid: oldest.pid,
    age_s: Math.max(0, Math.floor(uptimeS - oldest.startedS)),
    rss_bytes: sum(({ rssBytes }) => rssBytes),
    threads: sum(({ threads }) => threads),
  };
}

function wanted({ pid_file, name, pattern, user }: ProcessSettings): string {
  const what = pid_file ?? name ?? `/${pattern!.source}/`;
  return user === undefined ? what : `${what} of ${user}`;
}

async function uptime(): Promise<number> {
  return Number.parseFloat(await readStart('/proc/uptime'));
}

/** Reading goes on, for whoever else waits for it; we do not. */
function unlessAborted<T>(work: Promise<T>, { signal }: ProbeContext): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
