import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { zoo } from '../../test/support/zoo/index.ts';
import type { Transport } from '../../test/support/zoo/behaviour.ts';
import { createAttempts } from './attempts.ts';
import { type Held, held } from './held.ts';
import { type Line, print, printHead, printSums } from './table.ts';

/**
 * Whether hostile peers make us hold on to anything: `npm run bench:leaks -- [--only PATTERN] [--attempts N] [--tls N]`.
 * For each behaviour of the zoo so many attempts are made, over TLS fewer, and what the process holds is compared
 * before and after. Exit 1 where something was kept.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    attempts: { type: 'string', default: '10000' },
    tls: { type: 'string', default: '1000' },
  },
});
const only = new RegExp(values.only);

const WARM_UP = 400;
const MIB = 2 ** 20;
/** Memory that is more than this after all attempts is looked at once more: only growth that goes on is a leak. */
const RSS_NOISE = 12 * MIB;
const HEAP_NOISE = MIB;

const farm = fork(new URL('farm.js', import.meta.url));
const attempts = createAttempts();

function settingsOf(index: number): Promise<unknown> {
  return new Promise((resolve) => {
    farm.once('message', ({ settings }: { settings: unknown }) => resolve(settings));
    farm.send(index);
  });
}

function grew(before: Held, after: Held): boolean {
  return after.rss - before.rss > RSS_NOISE || after.heap - before.heap > HEAP_NOISE;
}

async function measure(index: number): Promise<Line> {
  const row = zoo[index]!;
  const ask = attempts.at(row, await settingsOf(index));
  const wanted = Number(isOverTls(row.transport) ? values.tls : values.attempts);
  const count = Math.min(wanted, ask.most);
  await ask.times(Math.min(WARM_UP, count));
  const before = await held();
  let said = await ask.times(count);
  let after = await held(before);
  let attempted = count;
  let kept = after.descriptors > before.descriptors || after.handles !== before.handles;
  if (!kept && grew(before, after)) {
    const once = after;
    said = await ask.times(count);
    attempted += count;
    after = await held(before);
    kept = grew(once, after);
  }
  return { row, attempted, said, before, after, kept };
}

function isOverTls(transport: Transport): boolean {
  return transport === 'tls' || transport === 'https' || transport === 'grpcs';
}

const lines: Line[] = [];
printHead();
for (const [index, { transport, name }] of zoo.entries()) {
  if (!only.test(`${transport}: ${name}`)) continue;
  const line = await measure(index);
  lines.push(line);
  print(line);
}
printSums(lines);
farm.disconnect();
process.exitCode = lines.some(({ kept }) => kept) ? 1 : 0;
