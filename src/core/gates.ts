import type { Doubt, Trouble } from './doubt.ts';
import type { Circumstances, Heard } from './health.ts';
import type { Gate, Held } from './held.ts';
import { type Purpose, mayRecover } from './purpose.ts';

/** What may close a gate for a target, as things stand. */
export interface Reasons {
  readonly doubt: Doubt;
  /** Targets that it depends on and that are not up. */
  readonly blockers: readonly string[];
  /** When those were heard of, and which of them have not been since this one began to fail; none where there are none. */
  readonly dependencies?: (Heard & { readonly awaited: readonly string[] }) | null;
  /** Why nothing is opened, as in a pause. */
  readonly hushed: string | null;
  /** Id of the episode in which many targets fail together; none where none is under way. */
  readonly episode?: string | null | undefined;
  /** An anchor answers, or targets vouch for the network, or there is none; null: they are asked only once something cannot be reached. */
  readonly pathWorks: boolean | null;
  readonly flapping: boolean;
  /** What is done about it is not verified yet. */
  readonly unverified: boolean;
  readonly purpose: Purpose;
}

/** What a judgement needs to know of them. */
export function circumstancesOf(
  { doubt, blockers, dependencies = null, hushed, episode = null, pathWorks, unverified }: Reasons,
  given: Omit<
    Circumstances,
    'doubt' | 'unreachable' | 'unverified' | 'dependencies' | 'hushed' | 'episode' | 'pathWorks'
  >,
): Circumstances {
  return {
    ...given,
    doubt,
    unreachable: blockers.length > 0,
    unverified,
    dependencies,
    hushed: hushed !== null,
    episode,
    pathWorks: pathWorks === true,
  };
}

export interface GateState {
  readonly gate: string;
  /** It holds something back now. */
  readonly holds: boolean;
  readonly why: string;
}

const GATES: Readonly<Record<Gate, (reasons: Reasons) => { holds: boolean; why: string }>> = {
  doubt: ({ doubt }) => ({ holds: doubt.doubtful, why: whyDoubt(doubt) }),
  unreachable: ({ blockers }) => ({
    holds: blockers.length > 0,
    why:
      blockers.length === 0
        ? 'what it depends on is up'
        : `${blockers.join(', ')} ${blockers.length === 1 ? 'is' : 'are'} not up`,
  }),
  dependency: ({ dependencies }) => {
    const awaited = dependencies?.awaited ?? [];
    return {
      holds: awaited.length > 0,
      why:
        awaited.length === 0
          ? 'nothing that it depends on is waited for'
          : `${awaited.join(', ')} ${awaited.length === 1 ? 'has' : 'have'} not been heard since it began to fail`,
    };
  },
  path: ({ pathWorks }) => ({
    holds: pathWorks === false,
    why: pathWorks
      ? 'an anchor answers, or targets do in its place, or there is none'
      : 'no anchor has answered lately',
  }),
  hushed: ({ hushed }) => ({ holds: hushed !== null, why: hushed ?? 'nobody has paused it' }),
  flapping: ({ flapping }) => ({
    holds: flapping,
    why: flapping ? 'it went down again and again, and that was told' : 'it does not flap',
  }),
  verification: ({ unverified }) => ({
    holds: unverified,
    why: unverified
      ? 'what was done about it is not verified yet'
      : 'nothing is done about it that is not verified',
  }),
};

/** All of them, open and closed. */
export function gatesOf(reasons: Reasons): GateState[] {
  return [
    ...Object.entries(GATES).map(([gate, stateOf]) => ({ gate, ...stateOf(reasons) })),
    {
      gate: 'purpose',
      holds: !mayRecover(reasons.purpose),
      why: `its purpose is ${reasons.purpose}: hooks ${mayRecover(reasons.purpose) ? 'may' : 'may not'} act on it`,
    },
  ];
}

const KEPT_FROM: Readonly<Record<Held['what'], string>> = {
  failure: 'the failure does not count',
  verdict: 'the rule is met, and the verdict withheld',
  news: 'nobody is told',
};

/** `the failure does not count: db is not up` */
export function whyHeld({ gate, what }: Held, reasons: Reasons): string {
  return `${KEPT_FROM[what]}: ${GATES[gate](reasons).why}`;
}

function whyDoubt({ score, doubtful, counted }: Doubt): string {
  const troubles = (Object.entries(counted) as [Trouble, number][])
    .toSorted(([, a], [, b]) => b - a)
    .map(([trouble]) => trouble);
  const named = troubles.length > 0 && (score > 0 || doubtful) ? `: ${troubles.join(', ')}` : '';
  return `the agent is ${doubtful ? 'in doubt' : 'sure'} of itself (score ${score}${named})`;
}
