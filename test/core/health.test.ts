import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type DownRule, NO_EVIDENCE, withFailure } from '../../src/core/evidence.ts';
import { type Health, type State, judge, unknownHealth } from '../../src/core/health.ts';
import { PROBATION_MS, incidentId } from '../../src/core/incident.ts';
import {
  type Attempt,
  type Outcome,
  type Reason,
  fail,
  ok,
  reasonOf,
  voided,
  warn,
} from '../../src/core/outcome.ts';
import { hookEvent } from '../../src/runtime/hook-event.ts';
import { RULES, circumstances } from '../support/circumstances.ts';
import { randomFrom } from '../support/random.ts';
import { aTarget } from '../support/targets.ts';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  '+': ok('fine'),
  w: warn('slow'),
  '-': fail('refused', 'no'),
  '?': voided('ours'),
};

function attempt(outcome: Outcome, startedAt = 0): Attempt {
  return { outcome, number: 1, at: 0, startedAt, latencyMs: 1, phases: {} };
}

/** Runs a script of outcomes (`u` marks the next one as unreachable); the states, and the events behind them. */
function states(script: string, rules = RULES): string {
  let health = unknownHealth(0);
  let unreachable = false;
  const line: string[] = [];
  script.split('').forEach((letter, index) => {
    if (letter === 'u') {
      unreachable = true;
      return;
    }
    const judgement = judge(
      health,
      attempt(OUTCOMES[letter]!, index),
      circumstances({ rules, unreachable, at: index + 1 }),
    );
    ({ health } = judgement);
    const event = judgement.transition?.event;
    line.push(event ? `${health.state}!${event}` : health.state);
    unreachable = false;
  });
  return line.join(' ');
}

describe('judge', () => {
  test.each([
    ['+', 'up'],
    ['w', 'up'],
    ['-', 'suspect'],
    ['?', 'unknown'],
    ['+-+', 'up suspect up'],
    ['+--+---', 'up suspect suspect up suspect suspect down!down'],
    ['+-?-?-', 'up suspect suspect suspect suspect down!down'],
    ['---', 'suspect suspect down!down'],
    ['----++', 'suspect suspect down!down down recovering up!up'],
    ['---+-++', 'suspect suspect down!down recovering down recovering up!up'],
    ['---+?+', 'suspect suspect down!down recovering recovering up!up'],
    ['---ww', 'suspect suspect down!down recovering up!up'],
    ['+u-u-u-u-', 'up suspect suspect suspect suspect'],
    ['+u-u----', 'up suspect suspect suspect suspect down!down'],
    ['--u---', 'suspect suspect suspect suspect suspect'],
  ])('%s -> %s', (script, line) => expect(states(script)).toBe(line));

  test('thresholds of one decide at once', () => {
    expect(states('+-+-', { ...RULES, failureThreshold: 1, successThreshold: 1 })).toBe(
      'up down!down up!up down!down',
    );
  });

  test('a void attempt returns the very same health', () => {
    const health: Health = { ...unknownHealth(1), state: 'suspect' };
    const given = circumstances({ at: 9 });
    expect(judge(health, attempt(voided('ours')), given).health).toBe(health);
  });

  test.each([
    ['an incident keeps its id through a failure while it recovers', '---+-++', 0, 0],
    ['down again within the probation is the same incident', '---++---', PROBATION_MS - 3, 1],
    ['and once more', '---++---++---', PROBATION_MS - 3, 2],
    ['down again after it is another one', '---++---', PROBATION_MS - 2, 0],
  ])('%s', (_, script, upFor, relapses) => {
    let health = unknownHealth(0);
    let now = 0;
    const incidents = new Set<string>();
    for (const letter of script) {
      now += health.state === 'up' ? upFor : 1;
      const judgement = judge(
        health,
        attempt(OUTCOMES[letter]!, now),
        circumstances({ target: 'x', at: now }),
      );
      ({ health } = judgement);
      if (judgement.transition?.incident) incidents.add(judgement.transition.incident);
    }
    const last = incidentId('x', relapses === 0 && script === '---++---' ? now : 3);
    expect([...incidents].at(-1)).toBe(last);
    expect(incidents.size).toBe(last === incidentId('x', 3) ? 1 : 2);
    expect(health.lastIncident.relapses).toBe(relapses);
  });

  test('each time that an incident is told has an id of its own', () => {
    let health = unknownHealth(0);
    const ids: string[] = [];
    '---++---++'.split('').forEach((letter, index) => {
      const given = circumstances({ target: 'x', at: 1_000 + index });
      const judgement = judge(health, attempt(OUTCOMES[letter]!, index), given);
      ({ health } = judgement);
      ids.push(...judgement.news.map((news) => hookEvent(aTarget({ name: 'x' }), news).id));
    });
    const incident = incidentId('x', 1_002);
    expect(ids).toEqual([`${incident}/down`, `${incident}/up`, `${incident}/down-2`, `${incident}/up-2`]);
  });

  test('since is the time of the last change of state', () => {
    let health = unknownHealth(5);
    const seen: number[] = [];
    for (const [at, letter] of ['+', '+', '-', '-', '-', '-'].entries()) {
      ({ health } = judge(health, attempt(OUTCOMES[letter]!), circumstances({ at: 10 + at })));
      seen.push(health.since);
    }
    expect(seen).toEqual([10, 10, 12, 12, 14, 14]);
  });
});

test('over random histories: no down without the threshold of failures, void changes nothing, openings are closed', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomFrom(seed);
    const rules = {
      ...RULES,
      failureThreshold: 1 + Math.floor(random() * 4),
      confirm: { explicit: 2, silent: 6, path: 10 },
      successThreshold: 1 + Math.floor(random() * 3),
    };
    let health = unknownHealth(0);
    let failures: { at: number; reason: Reason }[] = [];
    let lastTen: { at: number; reason: Reason | null }[] = [];
    let good = 0;
    let isOpen = false;
    for (let at = 1; at <= 200; at++) {
      const outcome = HISTORY[Math.floor(random() * HISTORY.length)]!;
      const before = health;
      const judgement = judge(health, attempt(outcome, at), circumstances({ rules, at }));
      ({ health } = judgement);
      if (outcome.status === 'void') {
        expect(health).toBe(before);
        continue;
      }
      if (!isOpen) lastTen = [...lastTen, { at, reason: reasonOf(outcome) }].slice(-10);
      failures = outcome.status === 'fail' ? [...failures, { at, reason: outcome.reason }] : [];
      good = outcome.status === 'fail' ? 0 : good + 1;
      const event = judgement.transition?.event;
      if (event === 'down') {
        expect(isOpen).toBe(false);
        expect(isProven(failures, at + 1, rules) || isProvenByShare(lastTen, at + 1, rules)).toBe(true);
        isOpen = true;
      }
      if (event === 'up') {
        expect(isOpen).toBe(true);
        expect(good).toBeGreaterThanOrEqual(rules.successThreshold);
        isOpen = false;
        lastTen = [];
      }
      expect(health.incidentAt !== null).toBe(isOpen);
      expect(isOpen).toBe(health.state === 'down' || health.state === 'recovering');
    }
  }
});

const HISTORY: readonly Outcome[] = [
  ok('fine'),
  voided('ours'),
  warn('slow'),
  ...Array.from({ length: 4 }, () => fail('refused', 'no')),
  ...Array.from({ length: 4 }, () => fail('timeout', 'hm')),
  ...Array.from({ length: 4 }, () => fail('connect_timeout', 'eh')),
];

/** The rule in the plainest words: a tail of failures, each of this class or a more telling one, long enough. */
function isProven(
  failures: readonly { at: number; reason: Reason }[],
  end: number,
  { failureThreshold, confirm }: DownRule,
): boolean {
  const telling = { refused: 0, timeout: 1, connect_timeout: 2 } as Record<string, number>;
  return (['explicit', 'silent', 'path'] as const).some((cls, rank) => {
    const other = failures.findLastIndex(({ reason }) => telling[reason]! > rank);
    const tail = failures.slice(other + 1);
    return tail.length >= failureThreshold && end - tail[0]!.at >= confirm[cls] - 1;
  });
}

/** Eight of the last ten, over the window of the weakest class among them. */
function isProvenByShare(
  lastTen: readonly { at: number; reason: Reason | null }[],
  end: number,
  { failureThreshold, confirm }: DownRule,
): boolean {
  const failures = lastTen.filter(({ reason }) => reason !== null);
  const has = (reason: Reason): boolean => failures.some((one) => one.reason === reason);
  const window = has('connect_timeout') ? confirm.path : has('timeout') ? confirm.silent : confirm.explicit;
  return failures.length >= Math.max(8, failureThreshold) && end - failures[0]!.at >= window - 1;
}

test('an attempt that started before one that has been judged changes nothing', () => {
  const given = circumstances({ at: 9 });
  const { health } = judge(unknownHealth(0), attempt(ok('fine'), 5), given);
  expect(judge(health, attempt(fail('timeout', 'late'), 4), given)).toEqual({
    health,
    transition: null,
    held: null,
    news: [],
  });
  expect(judge(health, attempt(fail('timeout', 'new'), 5), given).health.state).toBe('suspect');
});

test('a connection that was refused twice and then not made at all has not been refused three times', () => {
  const rules = { ...RULES, confirm: { explicit: 20, silent: 60, path: 100 } };
  let health = unknownHealth(0);
  const states = ['refused', 'refused', 'timeout', 'refused', 'refused', 'refused'].map((reason, index) => {
    const at = index * 10;
    ({ health } = judge(health, attempt(fail(reason as Reason, ''), at), circumstances({ rules, at })));
    return health.state;
  });
  expect(states).toEqual(['suspect', 'suspect', 'suspect', 'suspect', 'suspect', 'down']);
});

/** The truth table of docs/states.md, row by row, is what the code does. */
const ALMOST = withFailure(withFailure(NO_EVIDENCE, 'explicit', 0), 'explicit', 0);

describe('docs/states.md', () => {
  const rows = tableOf('docs/states.md');
  test('covers every state with every kind of attempt', () => {
    const covered = new Set(rows.map(([state, kind]) => `${state} ${kind}`));
    for (const state of ['unknown', 'up', 'suspect', 'down', 'recovering']) {
      for (const kind of ['good', 'fail', 'void']) expect(covered).toContain(`${state} ${kind}`);
    }
  });

  test.each(rows)('%s, %s, %s -> %s %s', (state, kind, condition, next, event) => {
    const opened = state === 'down' || state === 'recovering';
    const health: Health = {
      ...unknownHealth(0),
      state: state as State,
      evidence: condition === 'met' ? ALMOST : NO_EVIDENCE,
      successes: /\+ 1 >=/.test(condition) ? RULES.successThreshold - 1 : 0,
      incidentAt: opened ? 1 : null,
    };
    const outcome = OUTCOMES[{ good: '+', fail: '-', void: '?' }[kind]!]!;
    const judgement = judge(
      health,
      attempt(outcome),
      circumstances({
        unreachable: condition === 'unreachable',
        unverified: condition.endsWith('unverified'),
        at: 2,
      }),
    );
    expect(judgement.health.state).toBe(next);
    expect(judgement.transition?.event ?? '-').toBe(event);
    expect(judgement.transition !== null).toBe(next !== state);
  });
});

/** The body rows of the first table whose head begins with `state`, cells without their back-ticks. */
function tableOf(file: string): [string, string, string, string, string][] {
  if (!existsSync(file)) throw new Error(`${file} is missing`);
  const lines = readFileSync(file, 'utf8').split('\n');
  const head = lines.findIndex((line) => /^\|\s*`?state`?\s*\|\s*`?attempt`?/.test(line));
  const rows: [string, string, string, string, string][] = [];
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) break;
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('`', '').trim());
    rows.push(cells as [string, string, string, string, string]);
  }
  return rows;
}
