import { describe, expect, test } from 'vitest';
import { createFleet } from '../../src/runtime/fleet.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { recorder } from '../support/recorder.ts';
import { type ScriptedProbe, scriptedProbe } from '../support/scripted-probe.ts';
import { aTarget } from '../support/targets.ts';

const WIDE = { total: 100, perHost: 100 };
const CONFIRM = { explicit: 2_000, silent: 6_000, path: 10_000 };

function setUp(probes: Readonly<Record<string, ScriptedProbe>>) {
  const clock = createFakeClock();
  const record = recorder();
  const fleet = createFleet({ probes, clock, observer: record.observer, redact: (text) => text });
  return { clock, fleet, ...record };
}

const targets = ['a', 'b', 'c'].map((name) =>
  aTarget({ name, rules: { confirm: CONFIRM, suspectAfter: 'auto' } }),
);
const anchor = aTarget({
  name: 'anchor',
  probe: { kind: 'anchor', settings: {} },
  rules: { timeoutMs: 1_000 },
});

describe('the agent stands still', () => {
  test.each([1_000, 5_000, 15_000, 60_000])('for %d ms: nothing goes down', async (ms) => {
    const scripted = scriptedProbe('+++h+');
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply(targets, WIDE);
    await clock.advance(5_000);
    while (scripted.active === 0) await clock.advance(100);
    clock.stall(ms);
    await clock.advance(60_000);
    expect(of('transition').filter((line) => line.includes('down'))).toEqual([]);
  });

  test('what was under way says nothing, and what was held against a target is forgotten', async () => {
    const scripted = scriptedProbe('+++--h++++');
    const { clock, fleet, of } = setUp({ scripted });
    fleet.apply(targets.slice(0, 1), WIDE);
    while (scripted.active === 0) await clock.advance(100);
    clock.stall(3_000);
    await clock.advance(3_000);
    expect(of('attempt').filter((line) => line.includes(' void '))).toHaveLength(1);
    expect(of('transition').at(-1)).toBe('transition a suspect -> up');
  });
});

test('the wall clock is set while a target fails: its verdict takes the longer window', async () => {
  const scripted = scriptedProbe('+-');
  const { clock, fleet, of } = setUp({ scripted });
  fleet.apply(targets.slice(0, 1), WIDE);
  while (!of('transition').includes('transition a up -> suspect')) await clock.advance(100);
  clock.step(3_600_000);
  await clock.advance(4_000);
  expect(of('transition').at(-1)).toBe('transition a up -> suspect');
  await clock.advance(6_000);
  expect(of('transition').at(-1)).toBe('transition a suspect -> down (down)');
});

describe('the network is lost', () => {
  test('with anchors: the agent doubts itself, and nothing goes down', async () => {
    const scripted = scriptedProbe('+++p');
    const { clock, fleet, of } = setUp({ scripted, anchor: scriptedProbe('+p') });
    fleet.apply(targets, WIDE, [anchor]);
    await clock.advance(120_000);
    expect(of('doubt')).toEqual(['doubt begins anchors lost 4']);
    expect(of('transition').filter((line) => line.includes('down'))).toEqual([]);
  });

  test('and is there again: doubt ends after thirty seconds, and whoever is gone then goes down', async () => {
    const scripted = scriptedProbe('+++p');
    const { clock, fleet, of } = setUp({ scripted, anchor: scriptedProbe('+pppppp+') });
    fleet.apply(targets, WIDE, [anchor]);
    await clock.advance(120_000);
    expect(of('doubt').map((line) => line.split(' ')[1])).toEqual(['begins', 'ends']);
    expect(of('transition').filter((line) => line.endsWith('(down)'))).toHaveLength(3);
  });

  test('with anchors that answer, the hosts are gone: each is down when its window is over', async () => {
    const scripted = scriptedProbe('+++p');
    const { clock, fleet, of } = setUp({ scripted, anchor: scriptedProbe('+') });
    fleet.apply(targets, WIDE, [anchor]);
    await clock.advance(60_000);
    expect(of('doubt')).toEqual([]);
    expect(of('transition').filter((line) => line.endsWith('(down)'))).toHaveLength(3);
  });

  test('an anchor that has never answered is none', async () => {
    const { clock, fleet, of } = setUp({ scripted: scriptedProbe('+++p'), anchor: scriptedProbe('p') });
    fleet.apply(targets, WIDE, [anchor]);
    await clock.advance(60_000);
    expect(of('doubt')).toEqual([]);
    expect(of('transition').filter((line) => line.endsWith('(down)'))).toHaveLength(3);
  });

  test('one of two anchors is enough', async () => {
    const other = { ...anchor, name: 'other', fingerprint: 'other', probe: { kind: 'other', settings: {} } };
    const probes = {
      scripted: scriptedProbe('+++p'),
      anchor: scriptedProbe('+p'),
      other: scriptedProbe('+'),
    };
    const { clock, fleet, of } = setUp(probes);
    fleet.apply(targets, WIDE, [anchor, other]);
    await clock.advance(60_000);
    expect(of('doubt')).toEqual([]);
    expect(of('transition').filter((line) => line.endsWith('(down)'))).toHaveLength(3);
  });
});

test('as long as anchors are lost they are asked often, and no second counts as clean', async () => {
  const asked = scriptedProbe('+'.padEnd(120, 'p').concat('+'));
  const { clock, fleet, of } = setUp({ scripted: scriptedProbe('+'), anchor: asked });
  fleet.apply(targets, WIDE, [anchor]);
  while (of('doubt').length === 0) await clock.advance(100);
  while (asked.starts.length < 120) await clock.advance(100);
  const gaps = asked.starts.slice(3).map((start, index) => start - asked.starts[index + 2]!);
  expect(Math.max(...gaps)).toBeLessThanOrEqual(2_000);
  expect(of('doubt')).toEqual(['doubt begins anchors lost 4']);
  await clock.advance(29_000);
  expect(of('doubt')).toHaveLength(1);
  await clock.advance(5_000);
  expect(of('doubt')).toEqual(['doubt begins anchors lost 4', 'doubt ends 0']);
});

describe('the only anchor that ever answered is gone for good', () => {
  const at = (host: string, name: string, kind = 'scripted') =>
    aTarget({ name, host, probe: { kind, settings: {} }, rules: { confirm: CONFIRM } });

  test.each([
    ['answer', '+'],
    ['say no', '-'],
  ])(
    'targets %s over the network: it is the anchor, and who is out of reach goes down',
    async (_, script) => {
      const { clock, fleet, of } = setUp({
        scripted: scriptedProbe(script),
        gone: scriptedProbe('+'.repeat(60).concat('p')),
        anchor: scriptedProbe('+p'),
      });
      fleet.apply([at('192.0.2.1', 'a'), at('192.0.2.2', 'b', 'gone')], WIDE, [anchor]);
      await clock.advance(400_000);
      expect(of('doubt')).toEqual([]);
      expect(of('transition')).toContain('transition b suspect -> down (down)');
    },
  );

  test.each(['127.0.0.1', 'localhost'])('a target at %s says nothing of the network', async (host) => {
    const { clock, fleet, of } = setUp({ scripted: scriptedProbe('+'), anchor: scriptedProbe('+p') });
    fleet.apply([at(host, 'a')], WIDE, [anchor]);
    await clock.advance(400_000);
    expect(of('doubt')).toEqual(['doubt begins anchors lost 4']);
  });

  test('and then the network, too: no target answers for it any more, and none goes down', async () => {
    const { clock, fleet, of } = setUp({
      a: scriptedProbe('+'.repeat(60).concat('p')),
      b: scriptedProbe('+'.repeat(60).concat('p')),
      anchor: scriptedProbe('+p'),
    });
    fleet.apply([at('192.0.2.1', 'a', 'a'), at('192.0.2.2', 'b', 'b')], WIDE, [anchor]);
    await clock.advance(250_000);
    expect(of('doubt')).toEqual([]);
    await clock.advance(150_000);
    expect(of('doubt')).toEqual(['doubt begins anchors lost 4']);
    expect(of('transition').filter((line) => line.includes('down'))).toEqual([]);
  });

  test('a target that answered before the anchor was gone says nothing of afterwards', async () => {
    const { clock, fleet, of } = setUp({ scripted: scriptedProbe('++p'), anchor: scriptedProbe('+p') });
    fleet.apply([at('192.0.2.1', 'a')], WIDE, [anchor]);
    await clock.advance(60_000);
    expect(of('doubt')).toEqual(['doubt begins anchors lost 4']);
    expect(of('transition').filter((line) => line.includes('down'))).toEqual([]);
  });
});

test('anchors are asked every minute, and every second while something cannot be reached', async () => {
  const asked = scriptedProbe('+');
  const { clock, fleet } = setUp({
    scripted: scriptedProbe('+++++++++++++++++++++++++++++++++++++ppp+'),
    anchor: asked,
  });
  fleet.apply(targets.slice(0, 1), WIDE, [anchor]);
  await clock.advance(150_000);
  expect(asked.starts.length).toBe(3);
  await clock.advance(60_000);
  expect(asked.starts.length).toBeGreaterThan(8);
  expect(asked.starts.length).toBeLessThan(20);
});

test('an agent that runs short of descriptors looks longer', async () => {
  const probe = scriptedProbe('+');
  const attempt = probe.attempt.bind(probe);
  let short = false;
  const scripted: ScriptedProbe = {
    ...probe,
    attempt: (settings, context) =>
      short
        ? Promise.resolve({ status: 'void', message: 'EMFILE', shortage: true })
        : attempt(settings, context),
  };
  const { clock, fleet, of } = setUp({ scripted });
  fleet.apply(targets, WIDE);
  await clock.advance(6_000);
  short = true;
  await clock.advance(30_000);
  expect(of('doubt')).toEqual(['doubt begins shortage 4']);
  short = false;
  await clock.advance(40_000);
  expect(of('doubt')).toEqual(['doubt begins shortage 4', 'doubt ends 0']);
});
