import { expect, test } from 'vitest';
import { OPENING_OF } from '../../src/core/hook.ts';
import type { NewsSubject } from '../../src/core/news.ts';
import type { Maintenance, Scope } from '../../src/core/pause.ts';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createGroups } from '../../src/runtime/groups.ts';
import { createQuiet } from '../../src/runtime/quiet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { randomFrom } from '../support/random.ts';
import { recorder } from '../support/recorder.ts';
import { scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const SCOPES: readonly Scope[] = [
  ...NAMES.map((target) => ({ target })),
  { group: 'left' },
  { group: 'right' },
  { all: true },
];
/** An hour or so in which everything happens, and then all is well. */
const WILD_MS = 3_600_000;
const CALM_MS = 1_800_000;

/** Lasting failures, single ones, and good times. */
function scriptFrom(random: () => number): string {
  let script = '';
  while (script.length < WILD_MS / 5_000) {
    script += (random() < 0.4 ? '-' : '+').repeat(1 + Math.floor(random() * 12));
  }
  return `${script}+`;
}

const MAINTENANCE: Maintenance[] = [
  { reason: 'm', cron: '*/20 * * * *', zone: 'UTC', forMs: 200_000, targets: ['a', 'b'], groups: ['left'] },
];

test.each(Array.from({ length: 12 }, (_, index) => index + 1))(
  'seed %i: nothing is opened while it is paused, and what was opened is closed, once',
  async (seed) => {
    const random = randomFrom(seed);
    const clock = createFakeClock();
    const open = new Set<string>();
    let opened = 0;
    const wrong: string[] = [];
    const probes = Object.fromEntries(NAMES.map((name) => [name, scriptedProbe(scriptFrom(random))]));
    const targets = NAMES.map((name, index) =>
      aTarget({ name, group: index < 2 ? 'left' : 'right', probe: { kind: name, settings: {} } }),
    );
    const observer: ReturnType<typeof recorder>['observer'] = {
      ...recorder().observer,
      onAttempt(target, attempt, health) {
        quiet.seen(target, attempt, health);
        groups.seen(target, attempt, health);
      },
      onNews(subject: NewsSubject, { event, incident }) {
        const opening = OPENING_OF[event];
        const key = `${subject.kind ?? 'target'} ${subject.name} ${opening ?? event} ${event === 'up' || event === 'down' ? incident : ''}`;
        const isRight = opening ? open.delete(key) : quiet.because(subject) === null && !open.has(key);
        // The watch survives what an observer throws.
        if (!isRight) wrong.push(`${event} ${key}`);
        if (opening) return;
        open.add(key);
        opened++;
      },
    };
    const quiet = createQuiet({
      clock,
      observer,
      rows: new Map(),
      keep: () => {},
      healthOf: (name) => fleet.health(name),
    });
    const fleet = createFleet({
      probes,
      clock,
      observer,
      redact: (text) => text,
      hushedBecause: quiet.because,
    });
    const groups = createGroups({
      clock,
      observer,
      hushedBecause: quiet.because,
      isDoubtful: () => false,
      episode: fleet.episode,
      rows: new Map(),
      keep: () => {},
    });
    quiet.apply(targets, MAINTENANCE);
    groups.apply([
      { name: 'left', members: ['a', 'b'], atLeast: 1, notify: [] },
      { name: 'right', members: ['c', 'd'], atLeast: 2, notify: [] },
    ]);
    fleet.apply(targets, { total: 10, perHost: 10 });

    while (clock.now() < WILD_MS) {
      await clock.advance(Math.floor(random() * 120_000));
      const scope = SCOPES[Math.floor(random() * SCOPES.length)]!;
      const untilHealthy = random() < 0.5;
      if (random() < 0.3) quiet.resume(scope, 'bob');
      else {
        quiet.pause({
          scope,
          reason: 'x',
          by: 'ann',
          forMs: 1 + Math.floor(random() * 400_000),
          untilHealthy,
        });
      }
    }
    await clock.advance(CALM_MS);
    expect(quiet.pauses()).toEqual([]);
    expect([wrong, [...open]]).toEqual([[], []]);
    expect(opened).toBeGreaterThan(0);
    expect(groups.snapshot().map(({ health }) => health.state)).toEqual(['up', 'up']);
    await fleet.stop();
  },
);
