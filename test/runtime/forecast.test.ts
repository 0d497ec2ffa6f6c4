import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Clock } from '../../src/core/clock.ts';
import { type OutcomeName, type Prospect, outlook, prospects } from '../../src/core/forecast.ts';
import { type Outcome, classOf, fail, ok, voided, warn } from '../../src/core/outcome.ts';
import type { Probe } from '../../src/core/probe.ts';
import type { Rules } from '../../src/core/target.ts';
import { type Fleet, createFleet } from '../../src/runtime/fleet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { randomFrom } from '../support/random.ts';
import { recorder } from '../support/recorder.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

/** What is said to happen next is what happens next: attempts are made for real, on a clock that is moved by hand. */

const WIDE = { total: 100, perHost: 100 };

type Answer = (signal: AbortSignal, enter: (phase: 'connect') => void) => Promise<Outcome>;

async function hang(signal: AbortSignal): Promise<never> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  throw signal.reason;
}

const ANSWERS: Readonly<Record<string, Answer>> = {
  ok: async () => ok('fine'),
  warn: async () => warn('so so'),
  refused: async () => fail('refused', 'no'),
  unreachable: async () => fail('unreachable', 'no route'),
  void: async () => voided('ours'),
  silent: hang,
  path(signal, enter) {
    enter('connect');
    return hang(signal);
  },
};

function probeOf(next: () => Answer): Probe {
  return {
    kind: 'random',
    settings: z.unknown(),
    attempt: (_settings, { signal, enter }) => next()(signal, enter),
  };
}

function pick<T>(random: () => number, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

function someRules(random: () => number): Partial<Rules> {
  const intervalMs = pick(random, [1_000, 2_000, 5_000]);
  return {
    intervalMs,
    timeoutMs: Math.min(intervalMs, pick(random, [500, 1_000, 2_000])),
    retryIntervalMs: pick(random, [200, 500, 1_000]),
    failureThreshold: pick(random, [1, 2, 3, 5]),
    successThreshold: pick(random, [1, 2, 3]),
    confirm: pick(random, [
      { explicit: 0, silent: 0, path: 0 },
      { explicit: 2_000, silent: 6_000, path: 10_000 },
      { explicit: 700, silent: 1_300, path: 900 },
    ]),
    suspectAfter: pick(random, ['auto', 'off', 300] as const),
    degradedThreshold: 2,
  };
}

function nameOf(outcome: Outcome): OutcomeName {
  return classOf(outcome) ?? (outcome.status as OutcomeName);
}

describe('the attempt that is judged next', () => {
  /** What was said right before each attempt was judged, and what came of it. */
  async function told(seed: number) {
    const random = randomFrom(seed);
    const clock = createFakeClock();
    const said = new Map<string, Prospect[]>();
    const judgements: { readonly said: string; readonly came: string }[] = [];
    let fleet: Fleet | undefined;
    const names = ['db', 'web'];
    const watched: Clock = {
      ...clock,
      schedule: (at, callback) =>
        clock.schedule(at, () => {
          for (const name of names) {
            const view = fleet?.view(name);
            if (view) said.set(name, prospects(view));
          }
          callback();
        }),
    };
    let mood: readonly string[] = ['ok'];
    const calm = ['ok', 'ok', 'ok', 'warn', 'void'];
    const bad = ['refused', 'silent', 'path', 'unreachable', 'void', 'ok'];
    const probe = probeOf(() => ANSWERS[pick(random, mood)]!);
    const news: string[] = [];
    const { observer, of } = recorder();
    fleet = createFleet({
      probes: { random: probe, anchor: scriptedProbe('++++p+') },
      clock: watched,
      observer: {
        ...observer,
        onAttempt(target, attempt, health, held) {
          const end = attempt.startedAt + attempt.latencyMs;
          const next = said.get(target.name)!.find(({ startsAt }) => startsAt === attempt.startedAt);
          const consequence = next?.outcomes[nameOf(attempt.outcome)].findLast(({ from }) => from <= end);
          news.length = 0;
          const entry = {
            said: consequence
              ? `${consequence.state} ${consequence.held === null ? '' : 'held'} ${consequence.news.join()}`
              : 'nothing',
            get came() {
              return `${health.state} ${held === null ? '' : 'held'} ${told.join()}`;
            },
          };
          const told: string[] = [];
          tell = (event) => void told.push(event);
          judgements.push(entry);
        },
        onNews: (_target, { event }) => tell(event),
      },
      redact: (text) => text,
    });
    let tell: (event: string) => void = () => {};
    fleet.apply(
      names.map((name, index) =>
        aTarget({
          name,
          probe: { kind: 'random', settings: {} },
          rules: someRules(random),
          dependsOn: index === 1 && random() < 0.5 ? ['db'] : [],
        }),
      ),
      WIDE,
      seed % 3 === 0 ? [aTarget({ name: 'anchor', probe: { kind: 'anchor', settings: {} } })] : [],
    );
    for (let spell = 0; spell < 12; spell++) {
      mood = pick(random, [calm, bad, bad, ['refused'], ['silent'], ['path'], ['refused', 'ok']]);
      await clock.advance(3_000 + random() * 15_000);
      if (random() < 0.2) clock.stall(random() * 6_000);
    }
    await fleet.stop();
    return { judgements, troubles: of('trouble') };
  }

  test.each(Array.from({ length: 9 }, (_, seed) => seed))('seed %i', async (seed) => {
    const { judgements, troubles } = await told(seed);
    expect(troubles).toEqual([]);
    const known = judgements.filter(({ said }) => said !== 'nothing');
    expect(known.map(({ said }) => said)).toEqual(known.map(({ came }) => came));
    // Only what starts late, after a stall, was not announced.
    expect(known.length).toBeGreaterThan(0.9 * judgements.length);
  });
});

describe('when every attempt from now on comes to the same', () => {
  async function compared(seed: number, how: 'refused' | 'silent' | 'path' | 'ok', before: string) {
    const random = randomFrom(seed);
    const clock = createFakeClock();
    let answer = before;
    const { observer } = recorder();
    let attempts = 0;
    let reached: { attempts: number; at: number } | undefined;
    const wanted = how === 'ok' ? 'up' : 'down';
    const fleet = createFleet({
      probes: { random: probeOf(() => ANSWERS[answer]!), anchor: scriptedProbe('+') },
      clock,
      observer: {
        ...observer,
        onAttempt(_target, _attempt, { state }) {
          attempts++;
          if (state === wanted) reached ??= { attempts, at: clock.now() };
        },
      },
      redact: (text) => text,
    });
    const anchor = aTarget({ name: 'anchor', probe: { kind: 'anchor', settings: {} } });
    const target = aTarget({ probe: { kind: 'random', settings: {} }, rules: someRules(random) });
    // Anchors that were not asked lately are asked once it matters.
    fleet.apply([target], WIDE, seed % 2 === 0 ? [anchor] : []);
    await clock.advance(40_000 + random() * 10_000);
    while (fleet.view('t')!.pending.length > 0) await clock.advance(50);
    const view = fleet.view('t')!;
    const said = outlook(view, how === 'refused' ? 'explicit' : how, wanted);
    attempts = 0;
    reached = undefined;
    answer = how;
    await clock.advance(60_000);
    await fleet.stop();
    return { said, came: reached };
  }

  test.each(
    (['refused', 'silent', 'path'] as const).flatMap((how) =>
      Array.from({ length: 6 }, (_, seed) => [how, seed] as const),
    ),
  )('%s brings it down when it was said, seed %i', async (how, seed) => {
    const { said, came } = await compared(seed, how, 'ok');
    expect(came).toBeDefined();
    expect(said).toEqual(came);
  });

  test.each(Array.from({ length: 6 }, (_, seed) => seed))(
    'good answers bring it up when it was said, seed %i',
    async (seed) => {
      const { said, came } = await compared(seed, 'ok', 'refused');
      expect(came).toBeDefined();
      expect(said).toEqual(came);
    },
  );
});
