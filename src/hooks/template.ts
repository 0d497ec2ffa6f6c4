import { z } from 'zod';
import type { HookEvent } from '../core/hook.ts';
import { suggest } from '../core/suggest.ts';
import { wording } from './wording.ts';

/** What `{name}` stands for in the body of a webhook. Always text. */
const VALUES: Readonly<Record<string, (event: HookEvent) => string>> = {
  id: ({ id }) => id,
  event: ({ event }) => event,
  kind: ({ kind }) => kind,
  target: ({ target }) => target,
  group: ({ group }) => group ?? '',
  purpose: ({ purpose }) => purpose ?? '',
  probe: ({ probe }) => probe,
  state: ({ state }) => state,
  from: ({ from }) => from,
  reason: ({ reason }) => reason ?? '',
  class: (event) => event.class ?? '',
  message: ({ message }) => message,
  incident: ({ incident }) => incident ?? '',
  correlated: ({ correlated }) => correlated ?? '',
  attempt: ({ attempt }) => String(attempt),
  at: ({ at }) => at,
  since: ({ since }) => since,
  title: (event) => wording(event).title,
  text: (event) => wording(event).lines.join('\n'),
};

const LABEL = 'labels.';

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** `{{` stands for a brace; else a word in braces is a placeholder. */
const PLACEHOLDER = /\{\{|\{([A-Za-z_][\w.-]*)\}/g;

/** A JSON document whose texts may hold placeholders. */
export function jsonTemplate(): z.ZodType<Json> {
  return z
    .union([z.record(z.string(), z.unknown()), z.array(z.unknown())], {
      error: 'expected a mapping or a list',
    })
    .superRefine((template, context) => {
      for (const { path, name } of strangers(template)) {
        const near = suggest(name, [...Object.keys(VALUES), LABEL]);
        const hint =
          near === undefined
            ? `there is ${Object.keys(VALUES).join(', ')} and ${LABEL}NAME`
            : `did you mean {${near}}?`;
        context.addIssue({
          code: 'custom',
          path: [...path],
          message: `unknown placeholder {${name}}; ${hint}`,
        });
      }
    })
    .transform((template) => template as Json)
    .meta({ as: 'mapping or list' });
}

type Path = readonly (string | number)[];

function strangers(value: unknown, path: Path = []): { path: Path; name: string }[] {
  if (typeof value === 'string') {
    return [...value.matchAll(PLACEHOLDER)].flatMap(([, name]) =>
      name === undefined || isKnown(name) ? [] : [{ path, name }],
    );
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    strangers(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function isKnown(name: string): boolean {
  return Object.hasOwn(VALUES, name) || (name.startsWith(LABEL) && name.length > LABEL.length);
}

/** The document with the event's values put in: a value stays inside of its text, whatever is in it. */
export function filled(template: Json, event: HookEvent): Json {
  if (typeof template === 'string') {
    return template.replaceAll(PLACEHOLDER, (written, name: string | undefined) =>
      name === undefined ? '{' : valueOf(name, event),
    );
  }
  if (Array.isArray(template)) return template.map((member: Json) => filled(member, event));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(value, event)]));
}

function valueOf(name: string, event: HookEvent): string {
  return name.startsWith(LABEL) ? (event.labels[name.slice(LABEL.length)] ?? '') : VALUES[name]!(event);
}
