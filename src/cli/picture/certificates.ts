import type { CertificateEntry } from '../../core/trace.ts';
import type { Look } from '../look.ts';
import { plain } from '../../core/plain.ts';
import { formatCount } from '../../core/units.ts';
import { cut, displayWidth, padded } from '../width.ts';
import { INDENT, type Page, nameWidth } from './page.ts';

/** Less than that is worth a colour. */
const SOON_DAYS = 21;

export function chainOf({ seen }: Pick<Look, 'seen'>): readonly CertificateEntry[] {
  return seen.flatMap(({ entry }) => (entry.kind === 'certificates' ? entry.chain : []));
}

/** The chain, the peer's own certificate first, each with the days that it has left. */
export function certificates(look: Look, { paint, columns }: Page): string[] {
  const chain = chainOf(look);
  const subjects = chain.map(({ subject }) => cut(plain(subject) || '(no name)', nameWidth(columns)));
  const lefts = chain.map(({ daysLeft }) => left(daysLeft));
  const width = Math.max(0, ...subjects.map(displayWidth));
  const leftWidth = Math.max(0, ...lefts.map(displayWidth));
  return chain.map(({ subject, issuer, names, daysLeft }, index) => {
    const by = issuer === subject ? 'its own issuer' : `issued by ${plain(issuer)}`;
    const rest = names === '' ? by : `${by}, for ${plain(names)}`;
    const colour = daysLeft < 0 ? 'red' : daysLeft < SOON_DAYS ? 'yellow' : 'green';
    const room = columns - INDENT.length - width - 2 - leftWidth - 2;
    return (
      `${INDENT}${padded(subjects[index]!, width)}  ` +
      `${paint(colour, padded(lefts[index]!, leftWidth))}  ${paint('gray', cut(rest, Math.max(12, room)))}`
    );
  });
}

function left(days: number): string {
  const said = formatCount(Math.abs(days), 'day');
  return days < 0 ? `expired ${said} ago` : `${said} left`;
}
