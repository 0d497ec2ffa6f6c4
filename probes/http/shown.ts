import type { Response } from './response.ts';

/** What a person who looks at one attempt must not see. */
const CREDENTIALS = /^(authorization|proxy-authorization|cookie|set-cookie): .*$/i;

/** The lines of a head, credentials left out. */
export function maskedLines(lines: readonly string[]): string {
  return lines.map((line) => line.replace(CREDENTIALS, '$1: ***')).join('\n');
}

export function describeHead({ statusLine, headers }: Response): string {
  const fields = [...headers].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`));
  // oxlint-disable-next-line no-control-regex
  return maskedLines([statusLine, ...fields]).replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '?');
}
