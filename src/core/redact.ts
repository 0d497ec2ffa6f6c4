import { encodedForms } from './encoded.ts';

/** Shorter ones would black out words that they merely occur in. */
const SHORTEST_INSIDE_TEXT = 3;
/** So much of a secret's beginning gives it away where a text was cut. */
const SHORTEST_BEGINNING = 6;
const CUT = '…';

/** Replaces every secret in a text by `***`. */
export type Redact = (text: string) => string;

export function createRedactor(secrets: Iterable<string>): Redact {
  const whole = new Set<string>();
  for (const secret of secrets) {
    if (secret === '') continue;
    whole.add(secret.toLowerCase());
    if (secret.length < SHORTEST_INSIDE_TEXT) continue;
    for (const form of encodedForms(secret)) whole.add(form.toLowerCase());
    // A command may print a line of a longer secret, such as a key file.
    const lines = secret.split('\n');
    if (lines.length > 1) for (const line of lines) if (line.length >= 8) whole.add(line.toLowerCase());
  }
  const inside = [...whole].filter((secret) => secret.length >= SHORTEST_INSIDE_TEXT);
  if (whole.size === 0) return (text) => text;
  // Whatever their case: a host name comes back from the resolver in lower case.
  // Longest first: a secret that contains another one goes as a whole.
  const sources = inside.toSorted((a, b) => b.length - a.length).map(escape);
  const anywhere = new RegExp(sources.join('|'), 'gi');
  const withoutBeginnings = beginningsOf(inside);
  return (text) => {
    if (whole.has(text.toLowerCase())) return '***';
    return sources.length === 0 ? text : withoutBeginnings(text.replace(anywhere, '***'));
  };
}

/** Masks the beginning of a secret at the end of a text, and before each `…`: the rest of it was cut off. */
function beginningsOf(secrets: readonly string[]): Redact {
  const byHead = new Map<string, string[]>();
  for (const secret of secrets) {
    if (secret.length <= SHORTEST_BEGINNING) continue;
    const head = secret.slice(0, SHORTEST_BEGINNING);
    const others = byHead.get(head);
    if (others) others.push(secret);
    else byHead.set(head, [secret]);
  }
  if (byHead.size === 0) return (text) => text;
  return (text) => {
    const lower = text.toLowerCase();
    // A few letters change their number with their case: places would not be the same.
    const searched = lower.length === text.length ? lower : text;
    let shown = '';
    let from = 0;
    for (let at = 0; at + SHORTEST_BEGINNING <= searched.length; at++) {
      const candidates = byHead.get(searched.slice(at, at + SHORTEST_BEGINNING));
      if (!candidates) continue;
      const ends = candidates.map((secret) => endOfBeginning(searched, at, secret));
      const end = ends.find((place) => place === searched.length || searched[place] === CUT);
      if (end === undefined) continue;
      shown += `${text.slice(from, at)}***`;
      from = end;
      at = end - 1;
    }
    return from === 0 ? text : shown + text.slice(from);
  };
}

/** How far the text goes on as this secret does. */
function endOfBeginning(text: string, start: number, secret: string): number {
  let length = SHORTEST_BEGINNING;
  while (length < secret.length && text[start + length] === secret[length]) length++;
  return start + length;
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
