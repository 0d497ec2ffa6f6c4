import { z } from 'zod';
import { HOOK_EVENTS, type HookEventName } from '../core/hook.ts';
import { openedAt } from '../core/incident.ts';
import { EVIDENCE_CLASSES, REASONS } from '../core/outcome.ts';
import { MODES } from '../core/policy.ts';
import { PURPOSES } from '../core/purpose.ts';
import type { Table } from '../core/store.ts';
import { MAX_DURATION_MS } from '../core/units.ts';

/** Until the year 9999: what `Date` and SQLite can still show. */
const LATEST = 253_402_300_799_999;

const text = z.string();
const name = text.nullable();
const flag = z.boolean();
const count = z.int().min(0);
const amount = z.number().min(0).max(LATEST);
/** Wall clock ms. */
const time = z.number().min(0).max(LATEST);
/** Ms; null: never. One that is to come would hold up all that waits for it; of clocks there may be a moment between. */
const age = z.number().min(-1_000).max(LATEST).nullable();

const cls = z.enum(EVIDENCE_CLASSES);
const reason = z.enum(REASONS).nullable();
const mode = z.enum(MODES);
const state = z.enum(['unknown', 'up', 'suspect', 'down', 'recovering']);
const outcome = z.enum(['recovered', 'failed', 'self_healed', 'inconclusive', 'vetoed', 'cancelled']);
const event = z.enum([
  ...HOOK_EVENTS,
  'still_down',
  'abandoned',
  'gave_up',
] as const satisfies HookEventName[]);

/** The moment at which it began is in it. */
const incident = text
  .refine((id) => openedAt(id) >= 0 && openedAt(id) <= LATEST, { error: 'no incident' })
  .nullable();
const told = z.looseObject({
  down: incident,
  correlated: name.default(null),
  degraded: flag,
  flapping: flag,
});
const run = z.looseObject({ since: age, count }).nullable();
const regular = z.looseObject({
  startedAt: age,
  failed: cls.nullable(),
  balance: z.number().min(-1e6).max(1e6).default(0),
});
const flaps = z.looseObject({ penalty: z.number().min(0).max(1e5), at: age, changedAt: age, flapping: flag });
const degradation = z.looseObject({
  because: z.enum(['warn', 'slow', 'unsteady']).nullable(),
  complaints: count,
  clean: count,
});
const health = z
  .looseObject({
    state,
    since: time,
    incidentAt: time.nullable(),
    evidence: z.looseObject({ explicit: run, silent: run, path: run, reached: flag }).optional(),
    lastIncident: z.looseObject({ at: time.nullable(), relapses: count }).optional(),
    successes: count.optional(),
    judgedAt: age.optional(),
    recent: z.array(regular).max(10).optional(),
    flaps: flaps.optional(),
    degradation: degradation.optional(),
    told: told.optional(),
  })
  .refine(({ state: is, incidentAt }) => (is === 'down' || is === 'recovering') === (incidentAt !== null), {
    error: 'it is down without an incident, or has one and is not',
  });
/** The markers of a quantile: none, or one for each of the first five samples. */
const quantile = z
  .looseObject({ heights: z.array(amount), places: z.array(count), samples: count })
  .refine(
    ({ heights, places, samples }) =>
      heights.length === Math.min(5, samples) && places.length === heights.length,
    { error: 'its markers are not those of its samples' },
  );

const blips = z
  .looseObject({ count: z.int().min(1), heardMs: amount, lastedMs: amount, roomMs: amount })
  .refine(({ lastedMs, roomMs }) => lastedMs < roomMs, { error: 'blips that lasted longer than they could' });
const day = z.looseObject({
  watchedMs: amount,
  looks: count,
  blips: z.looseObject({ explicit: blips.optional(), silent: blips.optional(), path: blips.optional() }),
});
const scope = z.union([
  z.strictObject({ target: text }),
  z.strictObject({ group: text }),
  z.strictObject({ all: z.literal(true) }),
]);
const moment = text.refine((written) => Date.parse(written) >= 0, { error: 'no moment' });
const hookEvent = z.looseObject({
  id: text,
  event,
  kind: z.enum(['target', 'group']),
  target: text,
  group: name,
  labels: z.record(text, text),
  purpose: z.enum(PURPOSES).nullable(),
  probe: text,
  state,
  from: state,
  reason,
  class: cls.nullable(),
  message: text,
  incident,
  correlated: name.default(null),
  relapses: count.default(0),
  attempt: count,
  at: moment,
  since: moment,
});

/** What the document of a row has to be, by table. */
export const DOCUMENTS: Readonly<Record<Table, z.ZodType>> = {
  target: z.looseObject({
    state,
    since: time,
    incident,
    health,
    attempts: count,
    missed: count,
    estimate: z.looseObject({ srtt: amount, rttvar: amount, samples: count }).optional(),
    usual: quantile.optional(),
    probe: text,
  }),
  incident: z.looseObject({
    id: text,
    target: text,
    group: name,
    opened: time,
    closed: time.nullable(),
    end: z.enum(['up', 'abandoned']).nullable(),
    reason,
    class: cls.nullable(),
    message: text,
    correlated: name.default(null),
  }),
  timeline: z.looseObject({ incident: text, target: text, at: time, what: text, detail: text }),
  action: z.looseObject({
    id: text,
    target: text,
    group: text,
    incident: text,
    step: text,
    kind: text,
    try: count,
    mode,
    asks: flag,
    class: cls.nullable(),
    reason,
    what: text,
    at: time,
    since: time,
    counted: flag,
    ended: time.nullable(),
    result: z.enum(['ok', 'failed', 'unknown']).nullable(),
    detail: text,
    output: text,
    outcome: outcome.nullable(),
    why: text,
    decided: time.nullable(),
    vetoes: count.optional(),
  }),
  climb: z.looseObject({
    target: text,
    mode,
    used: z.record(text, count),
    gave_up: name,
    cool_until: time.nullable(),
    acked_at: time.nullable(),
  }),
  recovery: z.looseObject({ off: name, acked: flag.optional() }),
  delivery: z.looseObject({
    hook: text,
    state: z.enum(['waiting', 'told']),
    at: time,
    toldAt: time,
    number: count,
    body: hookEvent,
  }),
  pause: z
    .looseObject({
      scope,
      reason: text,
      by: text,
      at: time,
      until: time,
      untilHealthy: flag,
      drain: flag.optional(),
      healing: z.record(text, count),
      released: z.array(text),
    })
    .refine(({ at, until }) => until >= at && until - at <= MAX_DURATION_MS, {
      error: 'no pause is as long',
    }),
  group: z.looseObject({
    state: z.enum(['unknown', 'up', 'down']),
    since: time,
    incidentAt: time.nullable(),
    told,
  }),
  publication: z.looseObject({
    available: z.array(text),
    published: z.array(text).default([]),
    panic: flag,
    drained: z.array(text),
  }),
  calibration: z.looseObject({ days: z.array(day).max(31), probe: text }),
  attempt: z
    .looseObject({
      target: text,
      first: amount,
      last: amount,
      count: z.int().min(1),
      status: z.enum(['ok', 'warn', 'fail']),
      reason,
      state,
      first_ms: amount,
      slowest_ms: amount,
      session: amount,
    })
    .refine(({ status, reason: why }) => (status === 'fail') === (why !== null), {
      error: 'a failure has a reason',
    }),
  damaged: z.looseObject({ table: text, name: text, why: text, document: text }),
};
