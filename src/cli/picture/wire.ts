import type { Look, Seen } from '../look.ts';
import { harmless, plain } from '../../core/plain.ts';
import { cut } from '../width.ts';
import { INDENT, type Page, milliseconds } from './page.ts';

/** Of a long head or output so many lines are shown. */
const MOST_LINES = 24;
const TIME = 8;

/** What went to and fro, and what was noted on the way, in the order in which it happened. */
export function wire({ seen, target }: Look, page: Page): string[] {
  return seen.flatMap((one) => {
    switch (one.entry.kind) {
      case 'note':
        return entry(one, '·', undefined, one.entry.text, page);
      case 'sent':
        return entry(one, '→', label(one.entry.what, target.probe.kind), one.entry.text, page);
      case 'received':
        return entry(one, '←', label(one.entry.what, target.probe.kind), one.entry.text, page);
      default:
        return [];
    }
  });
}

/** That a head is one can be seen. */
const HEADS = new Set(['request', 'response', 'request head', 'response head']);

function label(what: string, kind: string): string | undefined {
  return what === kind || HEADS.has(what) ? undefined : plain(what);
}

function entry(
  { atMs }: Seen,
  arrow: string,
  what: string | undefined,
  text: string,
  { paint, columns }: Page,
): string[] {
  const all = text.replace(/[\r\n]+$/, '').split(/\r?\n/);
  const lines = all.slice(0, MOST_LINES).map((line) => harmless(line).trimEnd());
  const more = all.length - MOST_LINES;
  if (more > 0) lines.push(`… ${more} more ${more === 1 ? 'line' : 'lines'}`);
  const margin = INDENT.length + TIME + 2;
  const room = columns - margin - 2;
  const colour = arrow === '→' ? 'cyan' : arrow === '←' ? 'green' : 'gray';
  const head = `${INDENT}${paint('gray', milliseconds(atMs).padStart(TIME))}  ${paint(colour, arrow)} `;
  const below = ' '.repeat(margin + 2);
  const [first = '', ...rest] = lines;
  if (what === undefined) {
    // The first line of a head says it all; the others are for those who look closer.
    return [`${head}${cut(first, room)}`, ...rest.map((line) => `${below}${paint('dim', cut(line, room))}`)];
  }
  const told = `${paint('dim', what)}  `;
  if (rest.length === 0) return [`${head}${told}${cut(first, room - what.length - 2)}`.trimEnd()];
  return [`${head}${paint('dim', what)}`, ...lines.map((line) => `${below}${paint('dim', cut(line, room))}`)];
}
