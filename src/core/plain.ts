/** What a terminal would obey: CSI (colours, moves) and OSC (titles, links) sequences, and short escapes. */
const TERMINAL =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b\]|\u009d)[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-Z\\^-~]/g;

/** Text of unknown origin on one line, without what a terminal would obey. */
export function plain(text: string): string {
  return harmless(text).trim();
}

/** The same with its blanks at both ends. Marks that turn the direction of writing would show another text than came. */
export function harmless(text: string): string {
  return text
    .replaceAll(TERMINAL, '')
    .replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ')
    .replaceAll(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '');
}

/** The same of text of many lines, as a command prints them. */
export function harmlessLines(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

/** The last `most` characters of a text of many lines, from the beginning of a line on. */
export function lastLines(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = text.slice(-most);
  return end.slice(end.indexOf('\n') + 1);
}

/** A line that begins as this text does. What was cut off is the end, and it says so. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  // Not through the middle of a character.
  const end = /[\ud800-\udbff]/.test(text[most - 2]!) ? most - 2 : most - 1;
  return `${text.slice(0, end)}…`;
}
