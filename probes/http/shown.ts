import { shownField, withoutParameters } from '../../src/core/secret-name.ts';
import type { Response } from './response.ts';

/** The lines of a head, credentials left out. */
export function maskedLines([first = '', ...fields]: readonly string[]): string {
  const shown = fields.map((line) =>
    line.replace(
      /^([^:]*): (.*)$/s,
      (_, name: string, value: string) => `${name}: ${shownField(name, value)}`,
    ),
  );
  return [withoutParameters(first), ...shown].join('\n');
}

export function describeHead({ statusLine, headers }: Response): string {
  const fields = [...headers].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`));
  // oxlint-disable-next-line no-control-regex
  return maskedLines([statusLine, ...fields]).replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '?');
}
