import type { z } from 'zod';
import { formatDuration, formatSize } from '../../src/core/units.ts';

/** A row of a key table. */
export interface KeyRow {
  readonly key: string;
  readonly type: string;
  readonly fallback: string;
  readonly meaning: string | undefined;
}

/** The Markdown table of a mapping's keys. */
export function keyTable(schema: z.ZodType): string {
  const rows = keyRows(schema).map(({ key, type, fallback, meaning = '' }) => [
    `\`${key}\``,
    type,
    fallback,
    meaning,
  ]);
  return [['key', 'type', 'default', 'meaning'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`)
    .join('\n')
    .replace('| --- | --- | --- | --- |', '|---|---|---|---|');
}

/** Every key of a mapping, those of the mappings in it as `outer.inner`, those of a list's members as `list[].key`. */
export function keyRows(schema: z.ZodType, prefix = ''): KeyRow[] {
  const { core } = peel(schema);
  const shape = (core._zod.def as unknown as { shape: Record<string, z.ZodType> }).shape;
  return Object.entries(shape).flatMap(([key, value]) => {
    const name = `${prefix}${key}`;
    const inner = insideOf(value);
    const own = {
      key: name,
      type: typeOf(value),
      fallback: fallbackOf(value),
      meaning: peel(value).description,
    };
    if (!inner) return [own];
    const rows = keyRows(inner.schema, `${name}${inner.list ? '[]' : ''}.`);
    return [own, ...rows];
  });
}

interface Peeled {
  /** What is left without optional, default, preprocess and transform. */
  readonly core: z.ZodType;
  readonly optional: boolean;
  readonly fallback: unknown;
  readonly description: string | undefined;
  readonly as: string | undefined;
  readonly otherwise: string | undefined;
  readonly short: readonly string[];
}

interface Def {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly in?: z.ZodType;
  readonly out?: z.ZodType;
  readonly defaultValue?: unknown;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, string | number>>;
  readonly values?: readonly unknown[];
}

function defOf(schema: z.ZodType): Def {
  return schema._zod.def;
}

/** What the layers of a schema say together; an outer one comes before an inner one. */
function peel(schema: z.ZodType): Peeled {
  const def = defOf(schema);
  const { description, as, otherwise, short } = schema.meta() ?? {};
  const next =
    def.innerType ??
    (def.type === 'pipe' ? (defOf(def.in!).type === 'transform' ? def.out : def.in) : undefined);
  const below: Peeled = next
    ? peel(next)
    : {
        core: schema,
        optional: false,
        fallback: undefined,
        description: undefined,
        as: undefined,
        otherwise: undefined,
        short: [],
      };
  return {
    core: below.core,
    optional: below.optional || ['optional', 'default', 'prefault'].includes(def.type),
    fallback: 'defaultValue' in def ? def.defaultValue : below.fallback,
    description: description ?? below.description,
    as: as ?? below.as,
    otherwise: otherwise ?? below.otherwise,
    short: [...(short ?? []), ...below.short],
  };
}

/** The mapping whose keys are told on their own: the value itself, or each member of a list. */
function insideOf(schema: z.ZodType): { readonly schema: z.ZodType; readonly list: boolean } | undefined {
  const { core, as } = peel(schema);
  if (as !== undefined) return undefined;
  const def = defOf(core);
  if (def.type === 'object') return { schema: core, list: false };
  const member = def.type === 'array' ? peel(def.element!) : undefined;
  return member && member.as === undefined && defOf(member.core).type === 'object'
    ? { schema: member.core, list: true }
    : undefined;
}

function typeOf(schema: z.ZodType): string {
  const { core, as, short } = peel(schema);
  if (as !== undefined) return as;
  const def = defOf(core);
  if (def.type === 'array' && short.includes('scalar')) return `${typeOf(def.element!)}, or a list`;
  const instead = [
    ...(short.includes('flag') ? ['true, false'] : []),
    ...(short.includes('scalar') && def.type !== 'string' ? ['text'] : []),
    ...(short.includes('list') ? ['list'] : []),
  ];
  const long = longTypeOf(def);
  return instead.length > 0 ? `${instead.join(', ')}, or a ${long}` : long;
}

function longTypeOf(def: Def): string {
  switch (def.type) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'true, false';
    case 'enum':
      return oneOf(Object.values(def.entries!));
    case 'literal':
      return oneOf(def.values!);
    case 'array':
      return `list${ofWhat(def.element!)}`;
    case 'record':
      return `mapping${ofWhat(def.valueType!)}`;
    case 'object':
      return 'mapping';
    case 'union':
      return [...new Set(def.options!.map(typeOf))].join(', or ');
    case 'number':
      return 'number';
    default:
      return 'anything';
  }
}

function oneOf(values: readonly unknown[]): string {
  return values.map((value) => `\`${String(value)}\``).join(', ');
}

function ofWhat(member: z.ZodType): string {
  const type = typeOf(member);
  return type === 'anything' ? '' : ` of ${plural(type)}`;
}

const PLURAL = /^[a-z]+$/i;

function plural(type: string): string {
  return PLURAL.test(type) ? `${type}${type.endsWith('s') ? 'es' : 's'}` : type;
}

function fallbackOf(schema: z.ZodType): string {
  const { optional, fallback, as, otherwise } = peel(schema);
  if (otherwise !== undefined) return otherwise;
  if (!optional) return 'required';
  return fallback === undefined || insideOf(schema) ? 'none' : `\`${written(fallback, as)}\``;
}

/** A default as it would be written in the YAML. */
function written(value: unknown, as: string | undefined): string {
  if (typeof value === 'number' && as === 'size') return formatSize(value);
  if (typeof value === 'number' && as === 'duration') return formatDuration(value);
  if (typeof value === 'string') return value === '' ? '""' : value;
  if (Array.isArray(value) && value.length > 0) return value.map((one) => written(one, as)).join(', ');
  return JSON.stringify(value);
}
