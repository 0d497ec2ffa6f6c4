/** A pattern of 2,602 instructions that is in hundreds of places at once over a text of a and b, and never matches it. */
export const HOSTILE_PATTERN = '(?:a[ab]{40}|b[ab]{41}|ab[ab]{42}){1,20}[^ab]';

/** A text of a and b, always the same, without a period that a state machine could make use of. */
export function hostileText(length: number): string {
  let text = '';
  for (let seed = 1; text.length < length;) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    text += (seed >> 16) & 1 ? 'a' : 'b';
  }
  return text;
}
