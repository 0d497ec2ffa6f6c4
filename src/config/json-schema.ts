import { z } from 'zod';
import type { HookRegistry } from '../core/hook.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import { documentSchema } from './schema.ts';

/** The JSON Schema of a YAML file, made from what the loader itself checks with. */
export function jsonSchema(probes: ProbeRegistry, hooks: HookRegistry): unknown {
  const schema = z.toJSONSchema(documentSchema(probes, hooks), {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: node }) => addShortForms(node),
  });
  return { ...schema, title: 'vitald targets' };
}

type JsonNode = z.core.JSONSchema.BaseSchema;

/** `http: http://host/` stands beside `http: { url: ... }`. */
function addShortForms(node: JsonNode): void {
  const { short, ...long } = node as JsonNode & { short?: readonly string[] };
  if (!short) return;
  for (const key of Object.keys(node)) delete node[key];
  node.anyOf = [
    ...short.map((form) => (form === 'list' ? { type: 'array' as const } : { type: ['string', 'number'] })),
    long,
  ] as JsonNode[];
}
