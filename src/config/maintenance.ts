import { Cron } from 'croner';
import { z } from 'zod';
import type { Group } from '../core/group.ts';
import type { Maintenance } from '../core/pause.ts';
import { plain } from '../core/plain.ts';
import type { Redact } from '../core/redact.ts';
import { suggest } from '../core/suggest.ts';
import { duration, flag, text, textMap } from '../schema/scalars.ts';
import { names } from './names.ts';
import type { Problem } from './problem.ts';
import { type Sourced, unknown, validate } from './validate.ts';

const zone = z.string().superRefine((written, context) => {
  if (isZone(written)) return;
  const near = suggest(written, [...Intl.supportedValuesOf('timeZone'), 'UTC']);
  const hint = near === undefined ? 'one such as Europe/Berlin or UTC is' : `did you mean "${near}"?`;
  context.addIssue({ code: 'custom', message: `"${written}" is not a time zone; ${hint}` });
});

const cron = z.string().superRefine((written, context) => {
  const problem = cronProblem(written);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

export const maintenanceSchema = z.strictObject({
  targets: names.optional().meta({ as: 'names of targets' }).describe('these targets'),
  groups: names
    .optional()
    .meta({ as: 'names of groups' })
    .describe('these groups, with all of their targets'),
  labels: textMap().optional().describe('every target that has all of these labels'),
  all: flag().optional().describe('everything'),
  cron: cron.describe('when it begins: minute, hour, day of the month, month, day of the week'),
  for: duration().describe('how long it lasts'),
  zone: zone
    .optional()
    .meta({ otherwise: "the host's" })
    .describe('the time zone of `cron`, such as `Europe/Berlin`'),
  reason: text().describe('why, for those who look'),
});

/** Maintenance windows, each with the targets and groups that it holds for. */
export function loadMaintenance(
  entries: readonly Sourced[],
  targets: ReadonlyMap<string, Sourced>,
  groups: readonly Group[],
  redact: Redact,
  problems: Problem[],
): Maintenance[] {
  const groupNames = groups.map(({ name }) => name);
  return entries.flatMap((entry) => {
    const checked = validate(maintenanceSchema, entry, problems);
    if (!checked) return [];
    const { source, path } = entry;
    checkNames(entry, 'targets', checked.targets ?? [], [...targets.keys()], problems);
    checkNames(entry, 'groups', checked.groups ?? [], groupNames, problems);
    const problem = (key: string | undefined, message: string): void => {
      problems.push({ place: source.locate(key === undefined ? path : [...path, key]), message });
    };
    if (!checked.targets && !checked.groups && !checked.labels && !checked.all) {
      problem(undefined, 'it is not said what this is for: add targets, groups, labels, or all: true');
    }
    const labelled = checked.labels ? withLabels(checked.labels, targets) : [];
    if (checked.labels && labelled.length === 0) problem('labels', 'no target has these labels');
    const chosen = checked.all ? groupNames : (checked.groups ?? []);
    const members = groups.filter(({ name }) => chosen.includes(name)).flatMap(({ members }) => members);
    return [
      {
        // Terminals, logs and messages show it.
        reason: plain(redact(checked.reason)),
        cron: checked.cron,
        zone: checked.zone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone,
        forMs: checked.for,
        targets: checked.all
          ? [...targets.keys()]
          : [...new Set([...(checked.targets ?? []), ...labelled, ...members])],
        groups: chosen,
      },
    ];
  });
}

/** To compare every name with every other would take minutes. */
const MOST_SUGGESTIONS = 50;

function checkNames(
  { source, path }: Sourced,
  key: 'targets' | 'groups',
  written: readonly string[],
  known: readonly string[],
  problems: Problem[],
): void {
  const names = new Set(known);
  written.forEach((name, index) => {
    if (names.has(name)) return;
    const at = [...path, key, ...(written.length > 1 ? [index] : [])];
    problems.push({
      place: source.locate(at),
      message: unknown(key.slice(0, -1), name, problems.length < MOST_SUGGESTIONS ? known : []),
    });
  });
}

/** Labels as they are written: a number there is text. */
function withLabels(
  wanted: Readonly<Record<string, string>>,
  targets: ReadonlyMap<string, Sourced>,
): string[] {
  return [...targets].flatMap(([name, { data }]) => {
    const labels = (data as { readonly labels?: Readonly<Record<string, unknown>> }).labels ?? {};
    return Object.entries(wanted).every(([key, value]) => key in labels && String(labels[key]) === value)
      ? [name]
      : [];
  });
}

function isZone(written: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: written }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const EXAMPLE = 'such as "0 3 * * sun", Sundays at three';

function cronProblem(written: string): string | undefined {
  const fields = written.trim().split(/\s+/).length;
  if (!written.startsWith('@') && fields !== 5) {
    return `"${written}" has ${fields} fields; a cron expression has five, ${EXAMPLE}`;
  }
  try {
    const never = new Cron(written, { timezone: 'UTC', mode: '5-part' }).nextRun(new Date(0)) === null;
    return never ? `"${written}" never comes` : undefined;
  } catch (error) {
    const why = (error as Error).message.replace(/^Cron\w+: (?:Syntax error, )?/, '');
    return `"${written}" is not a cron expression ${EXAMPLE}: ${why}`;
  }
}
