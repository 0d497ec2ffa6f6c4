import type { Look } from '../look.ts';
import { plain } from '../../core/plain.ts';
import { cut, displayWidth, padded } from '../width.ts';
import { INDENT, type Page, nameWidth } from './page.ts';

export function facts({ attempt }: Look, { columns }: Page): string[] {
  const entries = Object.entries(attempt.outcome.facts ?? {});
  const names = entries.map(([name]) => cut(plain(name), nameWidth(columns)));
  const width = Math.max(0, ...names.map(displayWidth));
  const room = Math.max(8, columns - INDENT.length - width - 2);
  return entries.map(([, value], index) =>
    `${INDENT}${padded(names[index]!, width)}  ${cut(plain(String(value)), room)}`.trimEnd(),
  );
}
