import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { probes } from '../../probes/index.ts';
import { tlsKeys } from '../../probes/wire/tls.ts';
import { apiSchema } from '../../src/config/api.ts';
import { deliveryKeys } from '../../src/config/delivery.ts';
import { groupSchema } from '../../src/config/groups.ts';
import { maintenanceSchema } from '../../src/config/maintenance.ts';
import { publishSchema, servesSchema } from '../../src/config/publish.ts';
import { concurrencySchema, defaultsSchema } from '../../src/config/schema.ts';
import { brakesSchema, stepSchema } from '../../src/config/recovery.ts';
import { hooks } from '../../src/hooks/index.ts';
import { pattern } from '../../src/schema/pattern.ts';
import { duration, flag, integer, oneOrMore, size, text, withShortForm } from '../../src/schema/scalars.ts';
import { containment } from '../../src/steps/command.ts';
import { steps } from '../../src/steps/index.ts';
import { type KeyRow, keyRows, keyTable } from '../support/key-table.ts';

/** The key tables of the docs are made from the schemas: `npm run docs` writes them, this test finds them out of date. */

const KINDS: Readonly<Record<string, z.ZodType>> = {
  ...Object.fromEntries(Object.entries(probes).map(([kind, { settings }]) => [kind, settings])),
  tls: tlsKeys(),
};

/** Commands have their keys in words: what they are made of is no plain mapping. */
const { exec: _exec, shell: _shell, ...senders } = hooks;

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  ...KINDS,
  ...Object.fromEntries(Object.entries(senders).map(([kind, { settings }]) => [kind, settings])),
  delivery: z.strictObject(deliveryKeys),
  defaults: defaultsSchema,
  concurrency: concurrencySchema,
  recovery: brakesSchema,
  step: stepSchema({}),
  containment: z.strictObject(containment),
  signal: steps.signal.settings,
  systemd: steps.systemd.settings,
  api: apiSchema,
  groups: groupSchema,
  maintenance: maintenanceSchema,
  publish: publishSchema,
  serves: servesSchema,
};

const TABLE = /(<!-- keys: (\w+) -->\n)(?:[^]*?\n)??(<!-- \/keys -->)/g;

function withTables(text: string): string {
  return text.replaceAll(TABLE, (_all, open: string, name: string, close: string) => {
    const schema = SCHEMAS[name];
    if (!schema) throw new Error(`<!-- keys: ${name} --> names nothing that has keys`);
    return `${open}\n${keyTable(schema)}\n\n${close}`;
  });
}

const pages = readdirSync('docs/probes').map((file) => `docs/probes/${file}`);

describe.each(pages)('%s', (page) => {
  const text = readFileSync(page, 'utf8');
  const kind = basename(page, '.md');

  test('is of a kind that there is', () => expect(Object.keys(KINDS)).toContain(kind));

  test('has its tables as the schemas are; `npm run docs` writes them', async () => {
    expect(text).toContain(`<!-- keys: ${kind} -->\n`);
    await expect(withTables(text)).toMatchFileSnapshot(`../../${page}`);
  });
});

test.each([
  ['docs/configuration.md', ['defaults', 'concurrency', 'api', 'groups', 'maintenance']],
  ['docs/publish.md', ['publish', 'serves']],
  ['docs/hooks.md', ['delivery', ...Object.keys(senders)]],
  ['docs/recovery.md', ['step', 'containment', 'systemd', 'signal', 'recovery']],
])('%s has its tables, too', async (page, tables) => {
  const text = readFileSync(page, 'utf8');
  expect([...text.matchAll(TABLE)].map(([, , name]) => name)).toEqual(tables);
  await expect(withTables(text)).toMatchFileSnapshot(`../../${page}`);
});

test.each(Object.keys(KINDS))('%s has a page', (kind) =>
  expect(existsSync(`docs/probes/${kind}.md`)).toBe(true),
);

describe.each([...Object.keys(KINDS), ...Object.keys(senders)])('%s', (kind) => {
  test('says of every key what it means', () => {
    const silent = (rows: readonly KeyRow[]): string[] =>
      rows.filter(({ meaning }) => !meaning).map(({ key }) => key);
    expect(silent(keyRows(SCHEMAS[kind]!))).toEqual([]);
  });
});

test('the words of a table are those of the YAML', () => {
  const schema = z.strictObject({
    port: integer(1, 65_535).describe('a | b'),
    wait: duration().default(90_000),
    most: size().default(2 ** 20),
    mode: z.enum(['a', 'b']).default('a'),
    text: text().default(''),
    tags: z.array(text()).default([]),
    names: oneOrMore(text()).optional(),
    body: withShortForm(['scalar'], (text) => ({ text }), z.strictObject({ text: text() })).optional(),
    expect: z.strictObject({ headers: z.record(z.string(), pattern()).default({}) }).prefault({}),
    steps: z.array(z.strictObject({ on: flag().default(false) })),
  });
  expect(keyTable(schema).split('\n').slice(2)).toEqual([
    String.raw`| ${'`port`'} | 1 to 65535 | required | a \| b |`,
    '| `wait` | duration | `1m30s` |  |',
    '| `most` | size | `1MiB` |  |',
    '| `mode` | `a`, `b` | `a` |  |',
    '| `text` | text | `""` |  |',
    '| `tags` | list of texts | `[]` |  |',
    '| `names` | text, or a list | none |  |',
    '| `body` | text, or a mapping | none |  |',
    '| `body.text` | text | required |  |',
    '| `expect` | mapping | none |  |',
    '| `expect.headers` | mapping of patterns | `{}` |  |',
    '| `steps` | list of mappings | required |  |',
    '| `steps[].on` | true, false | `false` |  |',
  ]);
});
