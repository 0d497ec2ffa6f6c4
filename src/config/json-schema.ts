import { z } from 'zod';
import type { HookRegistry } from '../core/hook.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import type { StepRegistry } from '../core/step.ts';
import type { ShortForm } from '../schema/scalars.ts';
import { documentSchema } from './schema.ts';

/** The JSON Schema of a YAML file, made from what the loader itself checks with. */
export function jsonSchema(probes: ProbeRegistry, hooks: HookRegistry, steps: StepRegistry): unknown {
  const schema = z.toJSONSchema(documentSchema(probes, hooks, steps), {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema: node }) => settleNotes(node),
  });
  return { ...schema, title: 'vitald targets' };
}

type JsonNode = z.core.JSONSchema.BaseSchema;

const FORMS: Readonly<Record<ShortForm, Record<string, unknown>>> = {
  scalar: { type: ['string', 'number', 'boolean'] },
  list: { type: 'array' },
  flag: { type: 'boolean' },
  reference: { type: 'string', pattern: String.raw`\$\{` },
};

/** Notes of ours are worked off: `http: http://host/` stands beside `http: { url: ... }`. */
function settleNotes(node: JsonNode): void {
  delete node['as'];
  delete node['otherwise'];
  const { short, description, ...long } = node as JsonNode & { short?: readonly ShortForm[] };
  if (!short) return;
  for (const key of Object.keys(node)) delete node[key];
  if (description !== undefined) node.description = description;
  // A list's short form is its only member.
  const only = typeof long.items === 'object' && !Array.isArray(long.items) ? long.items : undefined;
  node.anyOf = [...short.map((form) => only ?? FORMS[form]), long];
}
