import type { Behaviour } from '../../test/support/zoo/behaviour.ts';
import type { Held } from './held.ts';

export interface Line {
  readonly row: Behaviour;
  readonly attempted: number;
  /** Of the last round: how many attempts had which reason or status. */
  readonly said: ReadonlyMap<string, number>;
  readonly before: Held;
  readonly after: Held;
  readonly kept: boolean;
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

export function printHead(): void {
  write('| behaviour | attempts | said | descriptors | handles | heap MiB | RSS MiB | |');
  write('|---|---|---|---|---|---|---|---|');
}

export function print({ row, attempted, said, before, after, kept }: Line): void {
  const handles = before.handles === after.handles ? 'the same' : `${before.handles} -> ${after.handles}`;
  const cells = [
    `${row.transport}: ${row.name}`,
    attempted,
    [...said].map(([how, count]) => `${count} ${how}`).join(', '),
    `${before.descriptors} -> ${after.descriptors}`,
    handles,
    `${mib(before.heap)} -> ${mib(after.heap)}`,
    `${mib(before.rss)} -> ${mib(after.rss)}`,
    kept ? 'KEPT' : '',
  ];
  write(`| ${cells.join(' | ')} |`);
}

/** One line for each transport: the most that any of its behaviours added. */
export function printSums(lines: readonly Line[]): void {
  write(
    '\n| transport | behaviours | attempts | descriptors | handles | heap MiB, at most | RSS MiB, at most | kept |',
  );
  write('|---|---|---|---|---|---|---|---|');
  for (const transport of new Set(lines.map(({ row }) => row.transport))) {
    const own = lines.filter(({ row }) => row.transport === transport);
    const most = (of: (held: Held) => number): number =>
      Math.max(...own.map(({ before, after }) => of(after) - of(before)));
    const cells = [
      transport,
      own.length,
      own.reduce((sum, { attempted }) => sum + attempted, 0),
      signed(most(({ descriptors }) => descriptors)),
      own.every(({ before, after }) => before.handles === after.handles) ? 'the same' : 'others',
      signed(Number(mib(most(({ heap }) => heap)))),
      signed(Number(mib(most(({ rss }) => rss)))),
      own.filter(({ kept }) => kept).length,
    ];
    write(`| ${cells.join(' | ')} |`);
  }
}

function signed(number: number): string {
  return number > 0 ? `+${number}` : String(number);
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
