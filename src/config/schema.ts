import { z } from 'zod';
import { HOOK_EVENTS, type HookRegistry } from '../core/hook.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import {
  address,
  alsoTakes,
  duration,
  expected,
  integer,
  oneOrMore,
  text,
  textMap,
  withShortForm,
} from '../schema/scalars.ts';

/** The shortest interval, ms: the scheduler's slot. */
const MIN_INTERVAL_MS = 10;

const name = z
  .string({ error: expected('a name') })
  .regex(
    /^[^\u0000-\u001f\u007f]{1,200}$/,
    'a name has 1 to 200 characters, none of them a control character',
  );

const names = withShortForm(['scalar'], (only) => [only], z.array(name));

const confirmKeys = z.strictObject({
  explicit: duration({ min: 0 }).optional(),
  silent: duration({ min: 0 }).optional(),
  path: duration({ min: 0 }).optional(),
});

/** Windows by evidence class, or one for all. */
const confirm = withShortForm(
  ['scalar'],
  (all) => ({ explicit: all, silent: all, path: all }),
  confirmKeys,
).optional();

const suspectAfter = z
  .union([z.enum(['auto', 'off']), duration()], { error: expected('auto, off or a duration such as 500ms') })
  .optional();

/** What `defaults:` may set for every target. */
const ruleKeys = {
  interval: duration({ min: MIN_INTERVAL_MS }).optional(),
  timeout: duration().optional(),
  retry_interval: duration({ min: MIN_INTERVAL_MS }).optional(),
  failure_threshold: integer(1).optional(),
  success_threshold: integer(1).optional(),
  suspect_after: suspectAfter,
  notify: names.optional(),
  recover: names.optional(),
};

/** What stands when neither the target nor `defaults:` says anything. */
export const RULE_DEFAULTS = {
  interval: 5_000,
  timeout: 2_000,
  retry_interval: 1_000,
  failure_threshold: 3,
  success_threshold: 2,
  suspect_after: 'auto',
  confirm: { explicit: 2_000, silent: 6_000, path: 10_000 },
} as const;

export const defaultsSchema = z.strictObject(ruleKeys);

/** One target, its `each` already worked off. Every kind of probe brings its own key. */
export function targetSchema(probes: ProbeRegistry) {
  return z.strictObject({
    name,
    group: name.optional(),
    labels: textMap().default({}),
    depends_on: names.default([]),
    confirm,
    ...ruleKeys,
    ...optionalKeys(probes),
  });
}

/** Values to put in for `{key}`, one target for each combination. */
export const eachSchema = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a key of each is a word: letters, digits and _'),
  z.array(text()).min(1, 'the list is empty'),
);

export function hookSchema(hooks: HookRegistry) {
  return z.strictObject({
    on: oneOrMore(z.enum(HOOK_EVENTS, { error: 'expected down or up' })).optional(),
    timeout: duration().optional(),
    retries: integer(0, 100).optional(),
    ...optionalKeys(hooks),
  });
}

const concurrency = z.strictObject({
  total: integer(1).optional(),
  per_host: integer(1).optional(),
  per_hook: integer(1).optional(),
});

export const PER_HOOK = 16;
export const STOP_GRACE_MS = 10_000;
export const LISTEN = { host: '127.0.0.1', port: 9_470 } as const;

/** Addresses; none for `off`, undefined for `auto`. */
const anchors = alsoTakes(
  ['scalar'],
  z.preprocess(
    (raw) => (raw === 'auto' ? undefined : raw === 'off' ? [] : raw),
    z.array(address(), { error: expected('auto, off or a list of addresses (host:port)') }).optional(),
  ),
);

/** The keys of a file, apart from what is in its targets and hooks: those are read one by one. */
export const fileSchema = z.strictObject({
  defaults: z.unknown().optional(),
  concurrency: concurrency.optional(),
  stop_grace: duration({ min: 0 }).optional(),
  anchors,
  confirm,
  listen: address().optional().describe('where beats are taken; nobody listens without a heartbeat target'),
  targets: z.array(z.unknown(), { error: 'expected a list of targets' }).optional(),
  hooks: z.record(z.string(), z.unknown(), { error: 'expected a mapping of hooks by name' }).optional(),
});

/** The whole file in one schema, for editors. */
export function documentSchema(probes: ProbeRegistry, hooks: HookRegistry) {
  return fileSchema.extend({
    defaults: defaultsSchema.optional(),
    targets: z.array(targetSchema(probes).extend({ each: eachSchema.optional() })).optional(),
    hooks: z.record(name, hookSchema(hooks)).optional(),
  });
}

function optionalKeys(registry: Readonly<Record<string, { readonly settings: z.ZodType }>>) {
  return Object.fromEntries(
    Object.entries(registry).map(([kind, { settings }]) => [kind, settings.optional()]),
  ) as Record<string, z.ZodOptional<z.ZodType>>;
}
