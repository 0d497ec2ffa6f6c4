import { isUtf8 } from 'node:buffer';

const MOST_SHOWN = 120;

/** The beginning of what a stranger said, on one line and safe to print. */
export function shown(bytes: Buffer): string {
  const short = bytes.length > MOST_SHOWN;
  return `"${legible(short ? bytes.subarray(0, MOST_SHOWN) : bytes).replaceAll(/[\r\n"]/g, escaped)}${short ? '…' : ''}"`;
}

/** Bytes as text with its line breaks; what cannot be printed is written as an escape. */
export function legible(bytes: Buffer): string {
  // A character that was cut in half at the end does not make it binary.
  const text =
    isUtf8(bytes) || isUtf8(withoutHalf(bytes))
      ? bytes.toString('utf8')
      : bytes.toString('latin1').replaceAll(/[\u0080-\u00ff]/g, escaped);
  return text.replaceAll(/[^\P{C}\r\n\t]|[\u2028\u2029]/gu, escaped);
}

/** Words of text protocols that a credential follows. */
const CREDENTIAL = /^((?:\S+ )?(?:AUTH|PASS|LOGIN|AUTHENTICATE|OPER|X-AUTH)\b) .*$/gim;

/** What is sent, with the credentials of well-known commands left out. */
export function sent(bytes: Buffer): string {
  return legible(bytes).replaceAll(CREDENTIAL, '$1 ***');
}

function withoutHalf(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes.length - end < 4 && (bytes[end - 1]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, Math.max(0, end - 1));
}

function escaped(character: string): string {
  const code = character.codePointAt(0)!;
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '"') return '\\"';
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
