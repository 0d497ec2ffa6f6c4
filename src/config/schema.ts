import { z } from 'zod';
import { HOOK_EVENTS, type HookRegistry } from '../core/hook.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import { PURPOSES } from '../core/purpose.ts';
import type { StepRegistry } from '../core/step.ts';
import { formatDuration } from '../core/units.ts';
import { anchorsSchema } from './anchors.ts';
import { groupSchema } from './groups.ts';
import { maintenanceSchema } from './maintenance.ts';
import { name, names } from './names.ts';
import {
  address,
  duration,
  expected,
  integer,
  oneOrMore,
  text,
  textMap,
  withShortForm,
} from '../schema/scalars.ts';
import { apiSchema } from './api.ts';
import { contractKeys } from './contract.ts';
import { deliveryKeys, remind } from './delivery.ts';
import { eitherKind, optionalKeys } from './kind.ts';
import { publishSchema, servesSchema } from './publish.ts';
import { brakesSchema, policyKeys, stepSchema } from './recovery.ts';
import { stateSchema } from './state.ts';

/** The shortest interval, ms: the scheduler's slot. */
const MIN_INTERVAL_MS = 10;

const confirmKeys = z.strictObject({
  explicit: duration({ min: 0 }).optional().describe('where the target says no: refused, a bad status'),
  silent: duration({ min: 0 }).optional().describe('where it is connected to and does not answer in time'),
  path: duration({ min: 0 }).optional().describe('where it cannot be reached: no route, no name'),
});

/** Windows by evidence class, or one for all. */
const confirm = withShortForm(['scalar'], (all) => ({ explicit: all, silent: all, path: all }), confirmKeys)
  .optional()
  .describe('how long failures of each class must last before `down`; one duration holds for all');

const learned = z
  .union([z.enum(['auto', 'off']), duration()], { error: expected('auto, off or a duration such as 500ms') })
  .optional();

/** What stands when neither the target nor `defaults:` says anything. */
export const RULE_DEFAULTS = {
  purpose: 'live',
  interval: 5_000,
  timeout: 2_000,
  retry_interval: 1_000,
  failure_threshold: 3,
  success_threshold: 2,
  suspect_after: 'auto',
  slow_after: 'off',
  degraded_threshold: 3,
  restored_threshold: 3,
  confirm: { explicit: 2_000, silent: 6_000, path: 10_000 },
} as const;

/** What `defaults:` may set for every target. */
const ruleKeys = {
  interval: duration({ min: MIN_INTERVAL_MS })
    .optional()
    .meta({ otherwise: inDuration(RULE_DEFAULTS.interval) })
    .describe('from the start of an attempt to the start of the next; at least 10ms'),
  timeout: duration()
    .optional()
    .meta({ otherwise: inDuration(RULE_DEFAULTS.timeout) })
    .describe('one attempt: name lookup, connect, TLS, redirects and the whole answer; not above `interval`'),
  retry_interval: duration({ min: MIN_INTERVAL_MS })
    .optional()
    .meta({ otherwise: inDuration(RULE_DEFAULTS.retry_interval) })
    .describe('start to start while a change of state is pending; at least 10ms'),
  failure_threshold: integer(1)
    .optional()
    .meta({ otherwise: `\`${RULE_DEFAULTS.failure_threshold}\`` })
    .describe('failed attempts in a row before `down`'),
  success_threshold: integer(1)
    .optional()
    .meta({ otherwise: `\`${RULE_DEFAULTS.success_threshold}\`` })
    .describe('good attempts in a row before `up` again'),
  suspect_after: learned
    .meta({ otherwise: `\`${RULE_DEFAULTS.suspect_after}\`` })
    .describe(
      'how long an answer may take before the target is asked again beside it, below `timeout`; `auto` learns it',
    ),
  purpose: z
    .enum(PURPOSES, { error: expected(`one of ${PURPOSES.join(', ')}`) })
    .optional()
    .meta({ otherwise: `\`${RULE_DEFAULTS.purpose}\`` })
    .describe('what it is watched for, and so what may be done about it; only `live` may have `recover`'),
  slow_after: learned
    .meta({ otherwise: `\`${RULE_DEFAULTS.slow_after}\`` })
    .describe(
      'a good answer that takes longer is a complaint, below `timeout`; `auto`: three times the usual 99th percentile',
    ),
  degraded_threshold: integer(1)
    .optional()
    .meta({ otherwise: `\`${RULE_DEFAULTS.degraded_threshold}\`` })
    .describe('good attempts in a row that warn or are slow before it is `degraded`'),
  restored_threshold: integer(1)
    .optional()
    .meta({ otherwise: `\`${RULE_DEFAULTS.restored_threshold}\`` })
    .describe('good attempts in a row without a complaint before it is restored'),
  ...contractKeys,
  notify: names
    .optional()
    .meta({ as: 'names of hooks' })
    .describe('who hears of it: an incident opens or closes, it is degraded or flaps'),
  recover: names
    .optional()
    .meta({ as: 'names of hooks' })
    .describe('what is tried while it is down, one step after the other, in this order'),
  ...policyKeys,
};

function inDuration(ms: number): string {
  return `\`${formatDuration(ms)}\``;
}

export const defaultsSchema = z.strictObject({
  ...ruleKeys,
  remind: remind.describe('how often hooks tell that a target is still down, unless they say otherwise'),
});

/** One target, its `each` already worked off. Every kind of probe brings its own key. */
export function targetSchema(probes: ProbeRegistry) {
  return z.strictObject({
    name: name.describe('unique over all files; also the seed of the phase'),
    group: name.optional().describe('handed to the hooks'),
    serves: servesSchema
      .optional()
      .describe('what consumers are told of it, where that is not what its probe dials'),
    labels: textMap().default({}).describe('handed to the hooks'),
    depends_on: names
      .default([])
      .describe('targets; while one of them is not up, failures here open no incident'),
    confirm,
    ...ruleKeys,
    ...optionalKeys(probes, (kind) => `a probe: ${kind}. A target has exactly one probe`),
  });
}

/** Values to put in for `{key}`, one target for each combination. */
export const eachSchema = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a key of each is a word: letters, digits and _'),
  z.array(text()).min(1, 'the list is empty'),
);

/** A hook of which one kind tells somebody, and maybe the same kind acts. */
export function hookSchema(hooks: HookRegistry) {
  return z.strictObject({
    on: oneOrMore(z.enum(HOOK_EVENTS, { error: expected(HOOK_EVENTS.join(', ')) }))
      .optional()
      .describe('the events on which it notifies: all, unless it says which'),
    ...deliveryKeys,
    ...optionalKeys(hooks, (kind) => `what runs: ${kind}. A hook is of exactly one kind`),
  });
}

export const PER_HOOK = 16;

export const concurrencySchema = z.strictObject({
  total: integer(1)
    .optional()
    .meta({ otherwise: 'four for each target, from 256 to 4096' })
    .describe('attempts at once'),
  per_host: integer(1)
    .optional()
    .meta({ otherwise: 'four for each target of that host, at least 8' })
    .describe('attempts at once to one host'),
  per_hook: integer(1)
    .optional()
    .meta({ otherwise: `\`${PER_HOOK}\`` })
    .describe('runs of one hook at once'),
});

export const STOP_GRACE_MS = 10_000;

const DEFAULTS = 'rules and hooks for the targets that set none';
const TARGETS = 'what to watch';
const API = 'how the running agent can be asked';
const HOOKS = 'what runs on a transition, by name';
const GROUPS = 'how the groups of targets stand, by name';
const PUBLISH = 'where consumers look for the nodes that are available';
const MAINTENANCE = 'when nothing is told and nothing done, by the calendar';

/** The keys of a file, apart from what is in its targets and hooks: those are read one by one. */
export const fileSchema = z.strictObject({
  defaults: z.unknown().optional().describe(DEFAULTS),
  concurrency: concurrencySchema.optional().describe('how much runs at once'),
  stop_grace: duration({ min: 0 })
    .optional()
    .describe('how long hooks may go on after SIGTERM; `0s`: not at all'),
  anchors: anchorsSchema.describe(
    "what answers while the agent's own network works: `auto`, `off`, or addresses",
  ),
  confirm,
  state: stateSchema.describe(
    'the file in which states, incidents and counters outlive the agent; `off`: nothing is kept',
  ),
  api: z.unknown().optional().describe(API),
  recovery: brakesSchema.optional().describe('what holds recovery back, for all targets together'),
  listen: address().optional().describe('where beats are taken; nobody listens without a heartbeat target'),
  targets: z.array(z.unknown(), { error: 'expected a list of targets' }).optional().describe(TARGETS),
  hooks: z
    .record(z.string(), z.unknown(), { error: 'expected a mapping of hooks by name' })
    .optional()
    .describe(HOOKS),
  groups: z
    .record(z.string(), z.unknown(), { error: 'expected a mapping of groups by name' })
    .optional()
    .describe(GROUPS),
  maintenance: z
    .array(z.unknown(), { error: 'expected a list of maintenance windows' })
    .optional()
    .describe(MAINTENANCE),
  publish: z.array(z.unknown(), { error: 'expected a list of places' }).optional().describe(PUBLISH),
});

/** The whole file in one schema, for editors. */
export function documentSchema(probes: ProbeRegistry, hooks: HookRegistry, steps: StepRegistry) {
  return fileSchema.extend({
    defaults: defaultsSchema.optional().describe(DEFAULTS),
    api: apiSchema.optional().describe(API),
    targets: z
      .array(
        targetSchema(probes).extend({
          each: eachSchema
            .optional()
            .describe('one target for each combination of these values, put in for `{key}`'),
        }),
      )
      .optional()
      .describe(TARGETS),
    hooks: z
      .record(name, z.union([hookSchema(eitherKind(hooks, steps)), z.array(stepSchema(steps))]))
      .optional()
      .describe(HOOKS),
    groups: z.record(name, groupSchema).optional().describe(GROUPS),
    maintenance: z.array(maintenanceSchema).optional().describe(MAINTENANCE),
    publish: z.array(publishSchema).optional().describe(PUBLISH),
  });
}
