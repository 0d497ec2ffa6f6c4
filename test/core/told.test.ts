import { describe, expect, test } from 'vitest';
import { HOOK_EVENTS, OPENING_OF } from '../../src/core/hook.ts';
import { type Holds, NOTHING_TOLD, isOver, tell } from '../../src/core/told.ts';
import { randomFrom } from '../support/random.ts';

/**
 * A letter a step, capitals as long as openings are held back: `d` an incident is open, `g` degraded, `f` flapping,
 * `b` both an incident and flapping, `.` nothing. What is told at each step.
 */
function telling(script: string): string {
  let told = NOTHING_TOLD;
  let number = 0;
  let before = '.';
  return script
    .split('')
    .map((letter) => {
      const what = letter.toLowerCase();
      const open = what === 'd' || what === 'b';
      if (open && before !== 'd' && before !== 'b') number++;
      before = what;
      const holds: Holds = {
        incident: open ? `t-${number}` : null,
        degraded: what === 'g',
        flapping: what === 'f' || what === 'b',
      };
      const next = tell(told, holds, letter !== what);
      ({ told } = next);
      return next.telling.map(({ event }) => event).join('+') || '-';
    })
    .join(' ');
}

describe('what is told', () => {
  test.each([
    ['.dd.', '- down - up'],
    ['.DD.', '- - - -'],
    // Held back, and it still holds at the end.
    ['.DDdd.', '- - - down - up'],
    // What was told is told as over, held back or not.
    ['.d..', '- down up -'],
    ['.dD.', '- down - up'],
    ['.d'.concat('D', 'D', 'G'), '- down - - up'],
    ['gg.', 'degraded - restored'],
    ['gGd.', 'degraded - restored+down up'],
    // While it flaps, down is not told anew; at the end it is, if it holds.
    ['.d.d.bfbf.', '- down up down up flapping - - - settled'],
    ['.bbbd.', '- flapping - - settled+down up'],
    ['.dbf.', '- down flapping up settled'],
  ])('%s -> %s', (script, line) => expect(telling(script)).toBe(line));
});

test('an incident that is told in an episode is part of it, and stays so', () => {
  const holds = (incident: string | null): Holds => ({ incident, degraded: false, flapping: false });
  const opened = tell(NOTHING_TOLD, holds('t-1'), false, 'mass-1');
  expect(opened.telling).toEqual([{ event: 'down', incident: 't-1', correlated: 'mass-1' }]);
  const closed = tell(opened.told, holds(null), false);
  expect(closed.telling).toEqual([{ event: 'up', incident: 't-1', correlated: 'mass-1' }]);
  expect(tell(closed.told, holds('t-2'), false).telling).toEqual([
    { event: 'down', incident: 't-2', correlated: null },
  ]);
  // The old incident is over and a new one there before anybody could be told.
  expect(tell(opened.told, holds('t-2'), false, 'mass-2').telling).toEqual([
    { event: 'up', incident: 't-1', correlated: 'mass-1' },
    { event: 'down', incident: 't-2', correlated: 'mass-2' },
  ]);
});

test('over random histories every opening is closed once, in time, and nothing is closed that was not opened', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = randomFrom(seed);
    const open = new Set<string>();
    const correlatedBy = new Map<string | null, string | null>();
    let told = NOTHING_TOLD;
    let incident = 0;
    for (let step = 0; step < 200; step++) {
      const quiet = step > 190;
      if (random() < 0.3) incident++;
      const holds: Holds = {
        incident: !quiet && random() < 0.5 ? `t-${incident}` : null,
        degraded: !quiet && random() < 0.4,
        flapping: !quiet && random() < 0.2,
      };
      const hushed = random() < 0.4;
      const next = tell(told, holds, hushed, random() < 0.5 ? `mass-${step}` : null);
      ({ told } = next);
      for (const { event, incident: about, correlated } of next.telling) {
        if (event === 'down') correlatedBy.set(about, correlated);
        // What an opening has in common with others, its closing has, too.
        if (event === 'up') expect(correlated).toBe(correlatedBy.get(about));
        const opening = OPENING_OF[event];
        const key = `${opening ?? event} ${event === 'up' || event === 'down' ? about : ''}`;
        if (opening) expect(open.delete(key)).toBe(true);
        else {
          expect(hushed).toBe(false);
          expect(open.has(key)).toBe(false);
          open.add(key);
        }
      }
      expect(told.down === null || told.down === holds.incident).toBe(true);
    }
    expect([...open]).toEqual([]);
  }
});

test('every event is an opening or the closing of one', () => {
  const closings = Object.keys(OPENING_OF);
  expect(HOOK_EVENTS.filter((event) => !closings.includes(event)).toSorted()).toEqual(
    [...new Set(Object.values(OPENING_OF))].toSorted(),
  );
});

describe('whether what was told is over', () => {
  const told = { ...NOTHING_TOLD, down: 't-1', degraded: true };
  test.each([
    ['down', 't-1', 'up', false],
    ['down', 't-0', 'up', true],
    ['down', 't-0', 'down', false],
    ['down', 't-0', 'unknown', false],
    ['degraded', null, 'up', false],
    ['flapping', null, 'up', true],
    ['flapping', null, 'suspect', false],
  ] as const)('%s of %s, while it is %s: %s', (event, incident, state, over) => {
    expect(isOver({ state, told }, { event, incident })).toBe(over);
  });
});
