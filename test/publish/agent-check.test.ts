import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { listenAt } from '../../src/api/listen.ts';
import type { Clock } from '../../src/core/clock.ts';
import { type AgentChecks, agentAnswer, createAgentChecks } from '../../src/publish/agent-check.ts';
import type { MemberStanding } from '../../src/publish/publisher.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { freePort } from '../support/real-server.ts';
import { tcpServer } from '../support/servers.ts';

const IN: MemberStanding = { published: true, drained: false, wasDrained: false, why: 'up', facts: {} };

describe('the words', () => {
  test.each<[string, Partial<MemberStanding>, string | null, string]>([
    ['in', {}, null, 'up'],
    ['out', { published: false, why: 'down: no route\n(ü)' }, null, 'down #down: no route (?)'],
    ['drained', { published: false, drained: true }, 'idle', 'drain'],
    ['drained a moment ago', { wasDrained: true }, null, 'up ready'],
    ['with a weight', { facts: { idle: 74.6 } }, 'idle', 'up 75%'],
    ['as text', { facts: { idle: '20' } }, 'idle', 'up 20%'],
    ['without its fact', {}, 'idle', 'up 100%'],
    ['out of bounds', { facts: { idle: 1e9 } }, 'idle', 'up 100%'],
    ['below them', { facts: { idle: -1 } }, 'idle', 'up 0%'],
    ['with both', { wasDrained: true, facts: { idle: 5 } }, 'idle', 'up ready 5%'],
  ])('%s', (_what, member, weight, words) =>
    expect(agentAnswer({ ...IN, ...member }, { weight })).toBe(words),
  );
});

const listening: AgentChecks[] = [];
afterEach(async () => {
  await Promise.all(listening.splice(0).map((one) => one.stop()));
});

function agentChecks(clock: Clock = createSystemClock()) {
  const checks = createAgentChecks({
    clock,
    memberOf: (name) => (name === 'a b' ? IN : undefined),
    listenAt,
    onListening: () => {},
  });
  listening.push(checks);
  return checks;
}

/** What comes back until the end; `-` where nothing does. */
function ask(port: number, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(question));
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', reject);
    socket.once('close', () => resolve(answer === '' ? '-' : answer));
  });
}

const at = (port: number) => ({ agentChecks: [{ listen: { host: '127.0.0.1', port }, weight: null }] });

describe('over TCP', () => {
  test('a name and a newline get an answer and the end', async () => {
    const [checks, port] = [agentChecks(), await freePort()];
    await checks.apply(at(port));
    expect(await ask(port, 'a b\n')).toBe('up\n');
    expect(await ask(port, 'a b\r\nwhat else')).toBe('up\n');
    expect(await ask(port, 'stranger\n')).toBe('-');
    expect(await ask(port, 'x'.repeat(2_000))).toBe('-');
  });

  test('who asks nothing is hung up on', async () => {
    const clock = createFakeClock();
    const [checks, port] = [agentChecks(clock), await freePort()];
    await checks.apply(at(port));
    const answer = ask(port, 'a b');
    for (let isPending = true; isPending; isPending = clock.pending === 0) {
      await clock.advance(0);
    }
    await clock.advance(2_000);
    expect(await answer).toBe('-');
  });

  test('it moves with a reload; where it cannot, all is as it was', async () => {
    const [checks, one, other] = [agentChecks(), await freePort(), await freePort()];
    const taken = await tcpServer(() => {});
    await checks.apply(at(one));
    await expect(checks.apply(at(taken))).rejects.toThrow('the port is in use');
    expect(await ask(one, 'a b\n')).toBe('up\n');
    await checks.apply(at(other));
    expect(await ask(other, 'a b\n')).toBe('up\n');
    await expect(ask(one, 'a b\n')).rejects.toThrow('ECONNREFUSED');
    await checks.stop();
    await expect(ask(other, 'a b\n')).rejects.toThrow('ECONNREFUSED');
  });
});
