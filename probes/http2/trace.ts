import { shownField } from '../../src/core/secret-name.ts';
import { legible } from '../wire/shown.ts';
import type { Fields, Head } from './fields.ts';
import type { Request } from './sender.ts';

export function describeRequest({ method, scheme, authority, path, fields }: Request): string {
  const pseudo = [
    [':method', method],
    [':scheme', scheme],
    [':authority', authority],
    [':path', path],
  ] as const;
  return [...pseudo, ...fields].map(([name, value]) => lineOf(name, value)).join('\n');
}

export function describeHead({ status, headers }: Head): string {
  return [`:status: ${status}`, ...linesOf(headers)].join('\n');
}

export function describeTrailers(fields: Fields): string {
  return linesOf(fields).join('\n');
}

function linesOf(fields: Fields): string[] {
  return [...fields].flatMap(([name, values]) => values.map((value) => lineOf(name, value)));
}

function lineOf(name: string, value: string): string {
  return `${name}: ${shownField(name, legible(Buffer.from(value, 'latin1')))}`;
}
