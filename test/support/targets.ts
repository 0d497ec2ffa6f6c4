import { POLICY } from '../../src/core/policy.ts';
import type { Rules, Target } from '../../src/core/target.ts';

const RULES: Rules = {
  intervalMs: 5_000,
  timeoutMs: 2_000,
  retryIntervalMs: 1_000,
  failureThreshold: 3,
  successThreshold: 2,
  // Counts alone decide, unless a test is about windows.
  confirm: { explicit: 0, silent: 0, path: 0 },
  suspectAfter: 'off',
  slowAfter: 'off',
  degradedThreshold: 3,
  restoredThreshold: 2,
};

/** A target for tests: what the test is not about is filled in. */
export function aTarget({
  rules,
  ...rest
}: Partial<Omit<Target, 'rules'>> & { readonly rules?: Partial<Rules> } = {}): Target {
  const target = {
    name: 't',
    labels: {},
    purpose: 'live' as const,
    probe: { kind: 'scripted', settings: {} },
    dependsOn: [],
    notify: [],
    recover: [],
    policy: POLICY,
    ...rest,
    rules: { ...RULES, ...rules },
  };
  return { fingerprint: JSON.stringify(target), probeFingerprint: JSON.stringify(target.probe), ...target };
}
