import { z } from 'zod';
import { BRAKES, type Brakes } from '../core/brakes.ts';
import { EVIDENCE_CLASSES } from '../core/outcome.ts';
import { MODES, POLICY, type RecoveryPolicy, VERIFY } from '../core/policy.ts';
import { STEP_DEFAULTS, type Step, type StepRegistry } from '../core/step.ts';
import { type Rate, formatDuration, formatRate } from '../core/units.ts';
import { filePath } from '../schema/file.ts';
import { duration, expected, flag, integer, oneOrMore, rate, text } from '../schema/scalars.ts';
import { optionalKeys } from './kind.ts';

function inDuration(ms: number): string {
  return `\`${formatDuration(ms)}\``;
}

function rateOr(otherwise: Rate): z.ZodType<Rate | undefined, string | undefined> {
  return rate()
    .optional()
    .meta({ otherwise: `\`${formatRate(otherwise)}\`` });
}

/** A share such as `10%`, put out as a number from 0 to 1. */
function share(otherwise: number): z.ZodType<number | undefined, string | undefined> {
  return z
    .string({ error: expected('a share such as 10%') })
    .transform((written, context) => {
      const percent = /^(\d{1,3}(?:\.\d+)?)\s*%$/.exec(written)?.[1];
      if (percent !== undefined && Number(percent) <= 100) return Number(percent) / 100;
      context.addIssue({ code: 'custom', message: `"${written}" is not a share such as 10%` });
      return z.NEVER;
    })
    .optional()
    .meta({ as: 'share', otherwise: `\`${otherwise * 100}%\`` });
}

/** The brakes, as they may be set for the whole agent. */
export const brakesSchema = z.strictObject({
  start_grace: duration({ min: 0 })
    .optional()
    .meta({ otherwise: inDuration(BRAKES.startGraceMs) })
    .describe('after the start of the agent nothing is done for this long'),
  cool_down: duration({ min: 0 })
    .optional()
    .meta({ otherwise: inDuration(BRAKES.coolDownMs) })
    .describe('from one attempt on a target to the next; doubles with each, a fifth more or less at random'),
  cool_down_max: duration({ min: 0 })
    .optional()
    .meta({ otherwise: inDuration(BRAKES.coolDownMaxMs) })
    .describe('where the doubling ends'),
  per_target: rateOr(BRAKES.perTarget).describe('attempts on one target'),
  per_day: integer(1)
    .optional()
    .meta({ otherwise: `\`${BRAKES.perDay}\`` })
    .describe('attempts on one target within a day; after that it has given up'),
  per_group: rateOr(BRAKES.perGroup).describe('attempts in one group'),
  overall: rateOr(BRAKES.overall).describe('attempts in all groups together'),
  share: share(BRAKES.share).describe('of a group, that may be under recovery at once; one always may'),
  panic: share(BRAKES.panicAt).describe(
    'of a group of three or more, that is bad at once: its recovery stops, and all of it is published',
  ),
  off_file: filePath().optional().describe('while a file of this name is there, nothing is done'),
});

export type WrittenBrakes = z.infer<typeof brakesSchema>;

/** What holds for all targets together. */
export interface RecoverySettings {
  /** Steps by the name of their hook. */
  readonly ladders: ReadonlyMap<string, readonly Step[]>;
  readonly brakes: Brakes;
  /** While this file is there, nothing is done. */
  readonly offFile: string | null;
}

export function recoverySettings(
  written: WrittenBrakes,
  ladders: RecoverySettings['ladders'],
): RecoverySettings {
  return { ladders, brakes: brakesOf(written), offFile: written.off_file ?? null };
}

function brakesOf(written: WrittenBrakes): Brakes {
  const coolDownMs = written.cool_down ?? BRAKES.coolDownMs;
  return {
    startGraceMs: written.start_grace ?? BRAKES.startGraceMs,
    coolDownMs,
    coolDownMaxMs: Math.max(coolDownMs, written.cool_down_max ?? BRAKES.coolDownMaxMs),
    perTarget: written.per_target ?? BRAKES.perTarget,
    perDay: written.per_day ?? BRAKES.perDay,
    perGroup: written.per_group ?? BRAKES.perGroup,
    overall: written.overall ?? BRAKES.overall,
    share: written.share ?? BRAKES.share,
    panicAt: written.panic ?? BRAKES.panicAt,
  };
}

/** A step of a ladder. */
export function stepSchema(steps: StepRegistry) {
  return z.strictObject({
    attempts: integer(1, 100)
      .default(STEP_DEFAULTS.attempts)
      .describe('how often it is tried before the next step'),
    timeout: duration().optional().meta({ otherwise: 'by its kind' }).describe('one try'),
    settle: duration({ min: 0 })
      .default(STEP_DEFAULTS.settleMs)
      .describe('how long the target is left alone after it, before it is verified'),
    on: oneOrMore(z.enum(EVIDENCE_CLASSES, { error: `expected ${EVIDENCE_CLASSES.join(', ')}` }))
      .default([...STEP_DEFAULTS.on])
      .describe('the evidence that it cures'),
    cancel_on_up: flag()
      .default(false)
      .describe('it is called off, by TERM, where the target answers again while it runs'),
    ...optionalKeys(steps, (kind) => `what is done: ${kind}. A step is of exactly one kind`),
  });
}

/** What a target, or `defaults:`, may say of its recovery. */
export const policyKeys = {
  mode: z
    .enum(MODES, { error: expected(`one of ${MODES.join(', ')}`) })
    .optional()
    .meta({ otherwise: `\`${POLICY.mode}\`` })
    .describe('`observe`: nothing is done; `dry_run`: all but the command itself; `enforce`: it is done'),
  verify: z
    .strictObject({
      successes: integer(1)
        .optional()
        .meta({ otherwise: `\`${VERIFY.successes}\`` })
        .describe('good attempts in a row'),
      within: duration()
        .optional()
        .meta({ otherwise: inDuration(VERIFY.withinMs) })
        .describe('how soon after the settling they have to be there'),
      stable: duration({ min: 0 })
        .optional()
        .meta({ otherwise: inDuration(VERIFY.stableMs) })
        .describe('how long it has to stay good, from the first of them'),
    })
    .optional()
    .describe('what proves that an action has helped'),
  veto: text()
    .optional()
    .meta({ as: 'name of a hook' })
    .describe('asked before each action, and forbids it by failing'),
};

const policySchema = z.strictObject(policyKeys);
type WrittenPolicy = z.infer<typeof policySchema>;

/** The target's own words first, then those of the defaults. Both checked. */
export function policyOf(own: WrittenPolicy, common: WrittenPolicy): RecoveryPolicy {
  const verify = { ...common.verify, ...own.verify };
  return {
    mode: own.mode ?? common.mode ?? POLICY.mode,
    verify: {
      successes: verify.successes ?? VERIFY.successes,
      withinMs: verify.within ?? VERIFY.withinMs,
      stableMs: verify.stable ?? VERIFY.stableMs,
    },
    veto: own.veto ?? common.veto ?? null,
  };
}

/** The same as it would be written. */
export function wordsOfPolicy({ mode, verify, veto }: RecoveryPolicy): Record<string, unknown> {
  return {
    mode,
    verify: {
      successes: verify.successes,
      within: formatDuration(verify.withinMs),
      stable: formatDuration(verify.stableMs),
    },
    ...(veto !== null && { veto }),
  };
}

export function wordsOfRecovery({ brakes, offFile }: RecoverySettings): Record<string, unknown> {
  return {
    start_grace: formatDuration(brakes.startGraceMs),
    cool_down: formatDuration(brakes.coolDownMs),
    cool_down_max: formatDuration(brakes.coolDownMaxMs),
    per_target: formatRate(brakes.perTarget),
    per_day: brakes.perDay,
    per_group: formatRate(brakes.perGroup),
    overall: formatRate(brakes.overall),
    share: `${brakes.share * 100}%`,
    panic: `${brakes.panicAt * 100}%`,
    ...(offFile !== null && { off_file: offFile }),
  };
}
