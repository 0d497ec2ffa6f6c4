import { type Look } from '../look.ts';
import { plain } from '../../core/plain.ts';
import { cut } from '../width.ts';
import { certificates } from './certificates.ts';
import { facts } from './facts.ts';
import { type Page, section } from './page.ts';
import { rules } from './rules.ts';
import { verdict } from './verdict.ts';
import { waterfall } from './waterfall.ts';
import { wire } from './wire.ts';
import { whereOf } from './where.ts';

/** Everything that one attempt told, for a person. */
export function picture(look: Look, page: Page): string {
  return [
    header(look, page),
    ...section('phases', waterfall(look, page), page),
    ...section('exchange', wire(look, page), page),
    ...section('certificates', certificates(look, page), page),
    ...section('rules', rules(look, page), page),
    ...section('facts', facts(look, page), page),
    ...verdict(look, page),
  ].join('\n');
}

function header({ target, written }: Look, { paint, columns }: Page): string {
  const { kind } = target.probe;
  const name = plain(target.name);
  // One from the command line is called by its kind.
  const who = name === kind ? [kind] : [name, kind];
  const room = Math.max(16, columns - who.join('  ').length - 2);
  return [paint('bold', who[0]!), ...who.slice(1), paint('gray', cut(plain(whereOf(written)), room))].join(
    '  ',
  );
}
