import type { HookRegistry } from '../core/hook.ts';
import type { Step, StepRegistry } from '../core/step.ts';
import { onlyKind } from './kind.ts';
import type { Problem } from './problem.ts';
import { stepSchema } from './recovery.ts';
import { type Sourced, validate } from './validate.ts';

/** A hook that is a list: its steps, in order. */
export function loadLadder(
  name: string,
  { source, path, data }: Sourced,
  steps: StepRegistry,
  problems: Problem[],
): readonly Step[] {
  const members = data as readonly unknown[];
  if (members.length === 0) problems.push({ place: source.locate(path), message: 'the ladder has no step' });
  return members.flatMap((step, index) => {
    const title = members.length === 1 ? name : `${name}/${index + 1}`;
    return loadStep(title, { source, path: [...path, index], data: step }, steps, problems) ?? [];
  });
}

/** A hook that is no list, as a ladder of one step. */
export interface SingleStep {
  readonly steps: readonly Step[];
  /** What is wrong with it as a step; not of matter until a target names it under `recover`. */
  readonly problems: Problem[];
  /** Whether nobody could be told by it. */
  actsOnly(hooks: HookRegistry): boolean;
}

/** Undefined where it is of no kind that can act. */
export function loadSingle(name: string, entry: Sourced, steps: StepRegistry): SingleStep | undefined {
  const { source, path, data } = entry;
  if (typeof data !== 'object' || data === null) return undefined;
  const kinds = Object.keys(data).filter((key) => Object.hasOwn(steps, key));
  if (kinds.length === 0) return undefined;
  const problems: Problem[] = ['on', 'retries']
    .filter((key) => key in data)
    .map((key) => ({
      place: source.locate([...path, key], 'key'),
      message: `"${key}" is for telling somebody, and this hook recovers; what a step may say goes into a list: ${name}: [...]`,
    }));
  const step = problems.length === 0 ? loadStep(name, entry, steps, problems) : undefined;
  return {
    steps: step ? [step] : [],
    problems,
    actsOnly: (hooks) => kinds.every((kind) => !Object.hasOwn(hooks, kind)),
  };
}

function loadStep(name: string, entry: Sourced, steps: StepRegistry, problems: Problem[]): Step | undefined {
  const checked = validate(stepSchema(steps), entry, problems);
  const kind = onlyKind('step', Object.keys(steps), entry, problems);
  if (!checked || !kind) return undefined;
  const { asks, withdraws = false, timeoutMs } = steps[kind]!;
  return {
    name,
    kind,
    settings: (checked as Record<string, unknown>)[kind],
    asks,
    withdraws,
    attempts: checked.attempts,
    on: checked.on,
    timeoutMs: checked.timeout ?? timeoutMs,
    settleMs: checked.settle,
    cancelOnUp: checked.cancel_on_up,
  };
}
