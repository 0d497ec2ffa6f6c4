import { describe, expect, it } from 'vitest';
import {
  type Order,
  type Phase,
  type Turn,
  type TransactionEvent,
  type TransactionRules,
  begun,
  counts,
  resumed,
  step,
} from '../../src/core/transaction.ts';
import { randomFrom } from '../support/random.ts';

const RULES: TransactionRules = {
  vets: false,
  settleMs: 10_000,
  verify: { successes: 3, withinMs: 60_000, stableMs: 30_000 },
  spacingMs: 1_000,
  cancelOnUp: false,
};

/**
 * Events as words: `+3` `-3` `?3` an attempt that starts and ends at second 3, `written`, `acted`, `t9` the time at second
 * 9, `doubt9` the same in doubt; anything after a colon is why.
 */
function eventOf(word: string, now: number): TransactionEvent {
  const [name = '', why = ''] = word.split(':');
  const at = Number(/\d+$/.exec(name)?.[0] ?? now / 1_000) * 1_000;
  const kind = name.replace(/\d+$/, '');
  switch (kind) {
    case '+':
    case '-':
    case '?': {
      const verdict = kind === '+' ? 'good' : kind === '-' ? 'fail' : 'void';
      return { type: 'attempt', now: at, startedAt: at, verdict, held: why || null };
    }
    case 'written':
      return { type: 'written', now: at, problem: null, held: why || null };
    case 'unwritten':
      return { type: 'written', now: at, problem: why, held: null };
    case 'vetted':
      return { type: 'vetted', now: at, ok: true, detail: '' };
    case 'vetoed':
      return { type: 'vetted', now: at, ok: false, detail: why };
    case 'acted':
      return { type: 'acted', now: at };
    case 't':
    case 'doubt':
      return { type: 'time', now: at, doubtful: kind === 'doubt' };
    default:
      return { type: 'cancel', now: at, why };
  }
}

function run(
  words: string,
  rules: TransactionRules = RULES,
  first = begun(rules, 0),
): Turn & { orders: Order[] } {
  let { phase } = first;
  const orders = [...first.orders];
  let now = 0;
  for (const word of words.split(' ').filter(Boolean)) {
    const event = eventOf(word, now);
    ({ now } = event);
    const next = step(phase, event, rules);
    ({ phase } = next);
    orders.push(...next.orders);
  }
  return { phase, orders };
}

function endOf(phase: Phase): string {
  return phase.name === 'ended' ? `${phase.outcome}: ${phase.why}` : phase.name;
}

describe('a transaction', () => {
  const vets = { ...RULES, vets: true };
  const calledOff = { ...RULES, cancelOnUp: true };
  const rows: [string, string, string, TransactionRules?][] = [
    ['looks once more', '', 'probing'],
    ['writes its intent where that look fails', '-1', 'intending'],
    ['acts once the intent is written', '-1 written', 'acting'],
    ['settles once the action has ended', '-1 written acted2', 'settling'],
    ['leaves what it sees then', '-1 written acted2 +5 +6 +7 +8 t11', 'settling'],
    ['then verifies', '-1 written acted2 t12', 'verifying'],
    [
      'is recovered by three good attempts that lasted',
      '-1 written acted2 t12 +13 +14 +15 +43',
      'recovered: 4 good attempts in a row',
    ],
    ['not before they have lasted', '-1 written acted2 t12 +13 +14 +15 +42', 'verifying'],
    ['begins to count anew after a failure', '-1 written acted2 t12 +13 +14 -15 +16 +17 +44', 'verifying'],
    ['waits for the window while it fails', '-1 written acted2 t12 -13 -20 -71', 'verifying'],
    [
      'has failed at the end of the window',
      '-1 written acted2 t12 -13 t72',
      'failed: 0 of 3 good attempts in a row in time',
    ],
    [
      'has failed with too few good attempts by then',
      '-1 written acted2 t12 +70 +71 t72',
      'failed: 2 of 3 good attempts in a row in time',
    ],
    [
      'goes on past the window where they came in time',
      '-1 written acted2 t12 +69 +70 +71 t72 +99',
      'recovered: 4 good attempts in a row',
    ],
    [
      'has failed with a failure past the window',
      '-1 written acted2 t12 +69 +70 +71 t72 -98',
      'failed: it did not stay good',
    ],
    [
      'never was good, says the last attempt',
      '-1 written acted2 t12 -13 -72',
      'failed: 0 of 3 good attempts in a row in time',
    ],
    [
      'cannot tell in doubt',
      '-1 written acted2 t12 -13 doubt72',
      'inconclusive: the agent is in doubt of itself',
    ],
    [
      'cannot tell where it heard nothing',
      '-1 written acted2 t12 ?13 ?14 t72',
      'inconclusive: no attempt said anything about the target',
    ],
    [
      'cannot tell where it heard nothing afterwards',
      '-1 written acted2 t12 +13 +14 +15 ?43 ?60 t103',
      'inconclusive: it was good, and no attempt says whether it has stayed so',
    ],
    ['ends with a good last look', '+1', 'self_healed: it answered again before anything was done'],
    ['ends with a last look that says nothing', '?1', 'inconclusive: the last look before it said nothing'],
    ['ends where something holds by then', '-1:paused', 'cancelled: paused'],
    ['ends where something holds after the write', '-1 written:paused', 'cancelled: paused'],
    ['ends where the intent cannot be written', '-1 unwritten:full', 'cancelled: full'],
    ['ends where the write took too long', '-1 written7', 'cancelled: the intent took too long to write'],
    [
      'ends where the target answers during the write',
      '-1 +2',
      'self_healed: it answered again before anything was done',
    ],
    ['ends when it is called off before the act', 'cancel:gone', 'cancelled: gone'],
    ['the same during the write', '-1 cancel:gone', 'cancelled: gone'],
    ['goes on when it is called off after', '-1 written cancel:gone', 'acting'],
    ['asks for a veto first', '', 'vetting', vets],
    ['looks where there is none', 'vetted1', 'probing', vets],
    ['does not take an attempt from before for that look', 'vetted5 -4', 'probing', vets],
    ['ends with a veto', 'vetoed1:backup', 'vetoed: backup', vets],
    [
      'ends where it answers meanwhile',
      '+1',
      'self_healed: it answered again before anything was done',
      vets,
    ],
    ['ends when it is called off meanwhile', 'cancel:gone', 'cancelled: gone', vets],
    ['lets the action end though the target answers', '-1 written +2', 'acting'],
    [
      'takes no credit for a target that answered before the action had ended, where it calls off',
      '-1 written +2 acted3 t13 +14 +15 +44',
      'self_healed: it answered again before the action had ended',
      calledOff,
    ],
  ];
  it.each(rows)('%s', (_what, words, expected, rules) => {
    expect(endOf(run(words, rules).phase)).toBe(expected);
  });

  it('takes a timer that fires a fraction early for one that is on time', () => {
    const early = (at: number): TransactionEvent => ({ type: 'time', now: at - 0.7, doubtful: false });
    const settled = run('-1 written acted2').phase;
    const verifying = step(settled, early(12_000), RULES).phase;
    expect(verifying.name).toBe('verifying');
    expect(endOf(step(verifying, early(72_000), RULES).phase)).toMatch(/^inconclusive/);
    const good = run('-1 written acted2 t12 +13 +14 +15').phase;
    const last = { type: 'attempt', verdict: 'good', held: null, now: 43_000, startedAt: 42_999.3 } as const;
    expect(endOf(step(good, last, RULES).phase)).toBe('recovered: 4 good attempts in a row');
  });

  it('gives its orders in order', () => {
    const { orders } = run('vetted1 -2 written acted3 t13 +14 +15 +16 +44', vets);
    expect(orders).toEqual([
      { do: 'vet' },
      { do: 'probe' },
      { do: 'intend' },
      { do: 'act' },
      { do: 'wake', at: 13_000 },
      { do: 'probe' },
      { do: 'wake', at: 73_000 },
      { do: 'probe at', at: 15_000 },
      { do: 'probe at', at: 16_000 },
      { do: 'probe at', at: 44_000 },
      { do: 'wake', at: 104_000 },
    ]);
  });

  it('calls the action off once', () => {
    expect(run('-1 written +2 +3', calledOff).orders.filter((order) => order.do === 'abort')).toHaveLength(1);
  });

  it('waits for what the process that died has begun, and only then settles', () => {
    const { orders } = resumed(RULES, 1_000, 61_000);
    expect(orders).toEqual([{ do: 'wake', at: 61_000 + RULES.settleMs }]);
    expect(resumed(RULES, 1_000, 500)).toEqual(resumed(RULES, 1_000));
  });

  it('never acts after the agent has died, and verifies', () => {
    const { phase, orders } = run('t10 +11 +12 +41', RULES, resumed(RULES, 0));
    expect(endOf(phase)).toBe('recovered: 3 good attempts in a row');
    expect(orders.map((order) => order.do)).not.toContain('act');
  });
});

it('whatever happens, it acts once at most, after its intent is written, and comes to an end', () => {
  const random = randomFrom(11);
  const ends = new Map<string, number>();
  for (let round = 0; round < 3_000; round++) {
    const rules = { ...RULES, vets: random() < 0.3, cancelOnUp: random() < 0.3 };
    const good = random();
    let { phase, orders } = begun(rules, 0);
    let [acts, writes, now] = [0, 0, 0];
    const open = new Set<string>();
    const died = random() < 0.2 ? Math.floor(random() * 60) : -1;
    for (let event = 0; phase.name !== 'ended'; event++) {
      expect(event).toBeLessThan(500);
      for (const order of orders) {
        if (order.do === 'act') acts++;
        if (order.do !== 'wake' && order.do !== 'probe at') open.add(order.do);
      }
      now += random() * 2_000;
      if (event === died && counts(phase)) {
        // Its intent had reached the disk: without that nothing is left of it.
        writes = 1;
        open.clear();
        ({ phase, orders } = resumed(rules, now));
        continue;
      }
      const verdict = random() < good ? 'good' : random() < 0.8 ? 'fail' : 'void';
      const attempt = {
        type: 'attempt',
        now,
        startedAt: now,
        verdict,
        held: random() < 0.02 ? 'x' : null,
      } as const;
      const [next]: TransactionEvent[] = [
        ...(open.delete('vet') ? [{ type: 'vetted', now, ok: random() < 0.9, detail: '' } as const] : []),
        ...(open.delete('intend')
          ? [{ type: 'written', now, problem: random() < 0.1 ? 'full' : null, held: null } as const]
          : []),
        ...(random() < 0.3 && open.delete('act') ? [{ type: 'acted', now } as const] : []),
        ...(random() < 0.3 ? [{ type: 'time', now, doubtful: random() < 0.1 } as const] : [attempt]),
      ];
      if (next!.type === 'written' && next!.problem === null) writes++;
      ({ phase, orders } = step(phase, next!, rules));
      if (phase.name === 'acting') expect(writes).toBe(1);
    }
    expect(acts).toBeLessThanOrEqual(1);
    if (phase.outcome === 'recovered' || phase.outcome === 'failed') {
      expect(writes).toBe(1);
    }
    if (phase.outcome === 'vetoed' || phase.outcome === 'cancelled') expect(acts).toBe(0);
    ends.set(phase.outcome, (ends.get(phase.outcome) ?? 0) + 1);
  }
  // The schedules reach every end.
  expect([...ends.keys()].toSorted()).toEqual(
    ['cancelled', 'failed', 'inconclusive', 'recovered', 'self_healed', 'vetoed'].toSorted(),
  );
});
