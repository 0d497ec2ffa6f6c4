import { killAll } from '../process/command.ts';
import { createSystemClock } from '../runtime/system-clock.ts';
import { type Look, type Subject, lookAt } from './look.ts';
import type { Page } from './picture/page.ts';
import { LONGEST_CURVE, newTally, sameOutcome, watchLine, watchSummary } from './picture/watch-line.ts';

export interface WatchOptions {
  /** Start to start; an attempt that takes longer holds up the next one. */
  readonly intervalMs: number;
  /** Shows one attempt in full. */
  readonly show: (look: Look) => void;
  /** Where the others get a line each, and the whole a summary; without it every attempt is shown in full. */
  readonly page: Page | undefined;
  readonly onTrouble: (what: string, detail: string) => void;
}

/** Attempts until Ctrl-C, in full where the outcome has changed; the last one. */
export async function watch(
  subject: Subject,
  { intervalMs, show, page, onTrouble }: WatchOptions,
): Promise<Look | undefined> {
  const clock = createSystemClock();
  const stopped = stopSignal();
  const tally = newTally();
  let recent: Look[] = [];

  for (let number = 1; ; number++) {
    const startedAt = clock.now();
    const look = await Promise.race([lookAt(subject, number, { clock, onTrouble }), stopped]);
    if (!look) break;
    const before = recent.at(-1);
    recent = [...recent.slice(1 - LONGEST_CURVE), look];
    tally.counts[look.attempt.outcome.status]++;
    tally.latencies.push(look.attempt.latencyMs);
    const same = before !== undefined && sameOutcome(before.attempt, look.attempt);
    if (page && before && !same) process.stdout.write('\n');
    if (!page || !same) show(look);
    if (page && !same) process.stdout.write('\n');
    if (page)
      process.stdout.write(
        `${watchLine(
          recent.map(({ attempt }) => attempt),
          page,
        )}\n`,
      );
    const pause = new Promise<void>((resolve) => {
      clock.schedule(Math.max(clock.now(), startedAt + intervalMs), resolve);
    });
    const goesOn = await Promise.race([pause.then(() => true), stopped]);
    if (!goesOn) break;
  }
  killAll();
  if (page) process.stdout.write(`\n${watchSummary(tally, page)}\n`);
  return recent.at(-1);
}

function stopSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve(undefined));
  });
}
