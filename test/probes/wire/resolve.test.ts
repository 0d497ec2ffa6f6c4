import type * as dns from 'node:dns';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { resolve } from '../../../probes/wire/resolve.ts';
import { tcp } from '../../../probes/tcp/probe.ts';
import { http } from '../../../probes/http/probe.ts';
import { attemptOnce } from '../../support/attempt.ts';
import { tcpServer } from '../../support/servers.ts';
import { verdict } from '../../support/verdict.ts';

interface Asked {
  readonly host: string;
  readonly family: number;
  answer(address: string): void;
  refuse(code: string): void;
}

const asked: Asked[] = vi.hoisted(() => []);

vi.mock('node:dns', async (original) => ({
  ...(await original<typeof dns>()),
  lookup(host: string, { family }: dns.LookupOptions, done: (error: Error | null, address: string) => void) {
    let open = true;
    const settle = (error: Error | null, address: string): void => {
      if (open) done(error, address);
      open = false;
    };
    asked.push({
      host,
      family: Number(family),
      answer: (address) => settle(null, address),
      refuse: (code) => settle(Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code }), ''),
    });
  },
}));

/** Every lookup that still runs is answered, until none is left. */
afterEach(() => {
  for (let at = 0; at < asked.length; at++) asked[at]!.answer('127.0.0.1');
  asked.length = 0;
});

function start(host: string, family: 0 | 4 | 6 = 0) {
  const phases: string[] = [];
  const abort = new AbortController();
  const result = resolve(host, family, { signal: abort.signal, enter: (phase) => phases.push(phase) });
  // A test that does not look at the result must not fail by it.
  result.catch(() => {});
  return { result, phases, abort };
}

function hosts(): string[] {
  return asked.map(({ host }) => host);
}

test('an address is itself: nothing is asked', async () => {
  expect(await start('127.0.0.1').result).toBe('127.0.0.1');
  expect(await start('::1').result).toBe('::1');
  expect(asked).toEqual([]);
});

test('the first address, and the error as it is', async () => {
  const good = start('a');
  const bad = start('b');
  asked[0]!.answer('10.0.0.1');
  asked[1]!.refuse('ENOTFOUND');
  expect(await good.result).toBe('10.0.0.1');
  await expect(bad.result).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

describe('the bound', () => {
  test('three at once; the next begins when one ends, in the order of asking', async () => {
    const all = ['a', 'b', 'c', 'd', 'e'].map((host) => start(host));
    expect(hosts()).toEqual(['a', 'b', 'c']);
    expect(all.map(({ phases }) => phases.at(-1))).toEqual(['dns', 'dns', 'dns', 'queue', 'queue']);
    asked[1]!.refuse('EAI_AGAIN');
    expect(hosts()).toEqual(['a', 'b', 'c', 'd']);
    expect(all[3]!.phases).toEqual(['queue', 'dns']);
    asked[0]!.answer('1.1.1.1');
    expect(hosts()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('one lookup for all who ask for the same name and family', async () => {
    const [first, second, other] = [start('a'), start('a'), start('a', 6)];
    expect(asked.map(({ host, family }) => [host, family])).toEqual([
      ['a', 0],
      ['a', 6],
    ]);
    asked[0]!.answer('10.0.0.1');
    asked[1]!.answer('::2');
    expect(await Promise.all([first.result, second.result, other.result])).toEqual([
      '10.0.0.1',
      '10.0.0.1',
      '::2',
    ]);
  });

  test('a name is asked anew once its lookup has ended', async () => {
    start('a');
    asked[0]!.answer('10.0.0.1');
    const again = start('a');
    expect(hosts()).toEqual(['a', 'a']);
    asked[1]!.answer('10.0.0.2');
    expect(await again.result).toBe('10.0.0.2');
  });
});

describe('abort', () => {
  test('in the queue: nobody asks for it any more, unless someone else waits', async () => {
    ['a', 'b', 'c'].forEach((host) => start(host));
    const [gone, left, stays] = [start('gone'), start('shared'), start('shared')];
    gone.abort.abort(new Error('late'));
    left.abort.abort(new Error('late'));
    await expect(gone.result).rejects.toThrow('late');
    await expect(left.result).rejects.toThrow('late');
    asked[0]!.answer('1.1.1.1');
    asked[1]!.answer('1.1.1.1');
    expect(hosts()).toEqual(['a', 'b', 'c', 'shared']);
    asked[3]!.answer('10.0.0.3');
    expect(await stays.result).toBe('10.0.0.3');
  });

  test('while it runs: it keeps its thread, and so its place; who comes later joins it', async () => {
    const [dead] = ['dead', 'b', 'c'].map((host) => start(host));
    dead!.abort.abort(new Error('late'));
    await expect(dead!.result).rejects.toThrow('late');
    const [next, joins] = [start('d'), start('dead')];
    expect(hosts()).toEqual(['dead', 'b', 'c']);
    expect([next.phases, joins.phases]).toEqual([['queue'], ['dns']]);
    asked[0]!.answer('10.0.0.4');
    expect(await joins.result).toBe('10.0.0.4');
    expect(hosts()).toEqual(['dead', 'b', 'c', 'd']);
  });
});

describe('in an attempt', () => {
  test.each(['ENOTFOUND', 'EAI_AGAIN'])('%s is `dns`', async (code) => {
    const attempt = attemptOnce(tcp, 'no.such.host:1');
    asked[0]!.refuse(code);
    expect(verdict(await attempt)).toBe('fail dns path');
  });

  test('no answer in time is `dns`', async () => {
    const attempt = await attemptOnce(http, 'http://slow.host/', { timeoutMs: 100 });
    expect(verdict(attempt)).toBe('fail dns path');
  });

  test('no turn in time is our own trouble', async () => {
    ['a', 'b', 'c'].forEach((host) => start(host));
    expect(verdict(await attemptOnce(tcp, 'd:1', { timeoutMs: 100 }))).toBe('void');
    expect(hosts()).toEqual(['a', 'b', 'c']);
  });

  test('each attempt resolves the name again', async () => {
    const port = await tcpServer(() => {});
    for (const address of ['127.0.0.1', '127.0.0.1']) {
      const attempt = attemptOnce(tcp, `moving.host:${port}`);
      asked.at(-1)!.answer(address);
      const { outcome, phases } = await attempt;
      expect(outcome.status).toBe('ok');
      expect(Object.keys(phases)).toEqual(expect.arrayContaining(['dns', 'connect']));
    }
    expect(asked).toHaveLength(2);
  });
});
