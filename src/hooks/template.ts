import { z } from 'zod';
import type { HookEvent } from '../core/hook.ts';
import { placeholders } from '../schema/placeholder.ts';
import { wording } from './wording.ts';

/** What `{name}` stands for in the body of a webhook. Always text. */
const VALUES = placeholders<HookEvent>({
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
  relapses: ({ relapses }) => String(relapses),
  attempt: ({ attempt }) => String(attempt),
  at: ({ at }) => at,
  since: ({ since }) => since,
  title: (event) => wording(event).title,
  text: (event) => wording(event).lines.join('\n'),
});

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A JSON document whose texts may hold placeholders. */
export function jsonTemplate(): z.ZodType<Json> {
  return z
    .union([z.record(z.string(), z.unknown()), z.array(z.unknown())], {
      error: 'expected a mapping or a list',
    })
    .superRefine((template, context) => {
      for (const { path, message } of strangers(template)) {
        context.addIssue({ code: 'custom', path: [...path], message });
      }
    })
    .transform((template) => template as Json)
    .meta({ as: 'mapping or list' });
}

type Path = readonly (string | number)[];

function strangers(value: unknown, path: Path = []): { path: Path; message: string }[] {
  if (typeof value === 'string') {
    return VALUES.namesIn(value).flatMap((name) => {
      const message = VALUES.problem(name);
      return message === undefined ? [] : [{ path, message }];
    });
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    strangers(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** The document with the event's values put in: a value stays inside of its text, whatever is in it. */
export function filled(template: Json, event: HookEvent): Json {
  if (typeof template === 'string') return VALUES.fill(template, event);
  if (Array.isArray(template)) return template.map((member: Json) => filled(member, event));
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(Object.entries(template).map(([key, value]) => [key, filled(value, event)]));
}
