import { type Purpose, mayRecover } from '../core/purpose.ts';
import type { Problem } from './problem.ts';
import { RULE_DEFAULTS } from './schema.ts';
import type { Sourced } from './validate.ts';

type Written = Readonly<Record<string, unknown>>;

/** The purpose in force. Actions that it forbids are a problem, told where the mistake can be mended. */
export function purposeOf(
  entry: Sourced,
  defaults: Sourced | undefined,
  recovers: boolean,
  problems: Problem[],
): Purpose {
  const own = entry.data as Written;
  const common = (defaults?.data ?? {}) as Written;
  const purpose = (own['purpose'] ?? common['purpose'] ?? RULE_DEFAULTS.purpose) as Purpose;
  if (recovers && !mayRecover(purpose)) {
    const place =
      own['recover'] !== undefined
        ? entry.source.locate([...entry.path, 'recover'], 'key')
        : own['purpose'] !== undefined
          ? entry.source.locate([...entry.path, 'purpose'])
          : defaults!.source.locate(['defaults', 'recover'], 'key');
    const way =
      own['recover'] === undefined
        ? '`recover: []` in the target takes back that of the defaults'
        : 'tell someone by `notify`, or watch what may be restarted by a target of its own';
    problems.push({
      place,
      message: `only a target of purpose live may recover, and this one is ${purpose}; ${way}`,
    });
  }
  return purpose;
}
