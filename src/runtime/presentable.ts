import type { Facts, Outcome } from '../core/outcome.ts';
import { cut, plain } from '../core/plain.ts';
import type { Redact } from '../core/redact.ts';

/** Characters of a message, and of the name and the text of a fact. */
const LONGEST = 500;
const MOST_FACTS = 100;
/** Nothing behind it could be shown; it bounds what the masking costs. */
const LOOKED_AT = 8 * LONGEST;

/**
 * What a probe read may echo a secret, or hold what a terminal would obey: it is masked, cleaned and bounded here,
 * before anyone is told. Masked first: cleaning may change what a secret would be found by.
 */
export function presentable(outcome: Outcome, redact: Redact): Outcome {
  const { facts } = outcome;
  const clean = (text: string): string => cut(plain(redact(text.slice(0, LOOKED_AT))), LONGEST);
  return {
    ...outcome,
    message: clean(outcome.message),
    ...(facts && { facts: presentableFacts(facts, clean) }),
  };
}

/** Keys, too, and numbers: a secret may be either. */
function presentableFacts(facts: Facts, clean: (text: string) => string): Facts {
  return Object.fromEntries(
    Object.entries(facts)
      .filter(([, value]) => typeof value !== 'number' || Number.isFinite(value))
      .slice(0, MOST_FACTS)
      .map(([key, value]) => {
        const shown = clean(String(value));
        return [clean(key), shown === String(value) ? value : shown];
      }),
  );
}
