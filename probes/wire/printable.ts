/** The beginning of what a stranger sent, safe to print. */
export function printable(text: string): string {
  const short = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return JSON.stringify(short).replaceAll(/[\u007f-\uffff]/g, (c) => (c === '…' ? c : '?'));
}
