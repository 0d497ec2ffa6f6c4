import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { probes } from '../../probes/index.ts';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { hooks } from '../../src/hooks/index.ts';
import { steps } from '../../src/steps/index.ts';

const validate = new Ajv2020({ strict: false }).compile(jsonSchema(probes, hooks, steps) as object);

function errors(data: unknown): unknown {
  return validate(data) ? [] : validate.errors;
}

test('takes the example', () =>
  expect(errors(parse(readFileSync('targets.example.yaml', 'utf8')))).toEqual([]));

interface Node {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
}

test('says what a key means, beside its short form, too', () => {
  const node = jsonSchema(probes, hooks, steps) as Node;
  const tcp = node.properties?.['targets']?.items?.properties?.['tcp']?.anyOf?.[1]?.properties;
  expect(tcp?.['send']?.description).toBe('text to send, as UTF-8');
  expect(tcp?.['tls']?.description).toMatch(/^TLS from the start/);
  expect(tcp?.['tls']?.anyOf?.[1]?.properties?.['ca']?.description).toMatch(/^trust these certificates/);
  expect(tcp?.['tls']?.anyOf?.[1]?.properties?.['insecure']?.description).toBe('accept any certificate');
  expect(JSON.stringify(node)).not.toMatch(/"(as|otherwise|short)":/);
});

test('no key is without a meaning, at any depth', () => {
  const silent: string[] = [];
  function look(node: unknown, path: string): void {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, value] of Object.entries(node)) {
      if (key !== 'properties' || typeof value !== 'object' || value === null) {
        look(value, path);
        continue;
      }
      for (const [name, inner] of Object.entries(value)) {
        const at = `${path}.${name}`;
        if (!(inner as Node).description) silent.push(at);
        look(inner, at);
      }
    }
  }
  look(jsonSchema(probes, hooks, steps), '');
  expect([...new Set(silent)]).toEqual([]);
});

const target = (keys: object): object => ({ targets: [{ name: 'a', ...keys }] });

describe('takes what the loader takes', () => {
  test.each([
    ['a short form', target({ http: 'http://h/' })],
    ['a long form', target({ http: { url: 'http://h/', body: 'text', expect: { status: 200 } } })],
    ['a JSON body', target({ http: { url: 'http://h/', body: { json: { a: [1] } } } })],
    ['tls: true', target({ tcp: { address: 'h:1', tls: true } })],
    ['tls with keys', target({ grpc: { address: 'h:1', tls: { insecure: true } } })],
    ['an argv with numbers', target({ exec: ['check_disk', '-w', 90] })],
    ['labels with numbers', target({ tcp: 'h:1', labels: { rack: 7 } })],
    ['a number by reference', target({ tcp: 'h:1', failure_threshold: '${N:-4}' })],
    ['one name or a list', target({ tcp: 'h:1', notify: 'ops', recover: ['a', 'b'] })],
    [
      'hooks',
      {
        ...target({ tcp: 'h:1' }),
        hooks: { a: { shell: 'true', on: 'down' }, b: { webhook: { url: 'http://h/' } } },
      },
    ],
  ])('%s', (_what, data) => expect(errors(data)).toEqual([]));
});

describe('refuses what the loader refuses', () => {
  test.each([
    ['an unknown key', target({ tcp: 'h:1', intervall: '5s' })],
    ['an unknown nested key', target({ tcp: { address: 'h:1', sned: 'x' } })],
    ['a number where a duration belongs', target({ tcp: 'h:1', interval: 5 })],
    ['a threshold of zero', target({ tcp: 'h:1', failure_threshold: 0 })],
    ['an unknown event', { ...target({ tcp: 'h:1' }), hooks: { a: { shell: 'true', on: 'dwn' } } }],
  ])('%s', (_what, data) => expect(errors(data)).not.toEqual([]));
});
