import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { askOnce, watch } from '../support/incidents.ts';
import { NGINX, nginx } from '../support/nginx.ts';
import { findPrograms } from '../support/programs.ts';
import { freePort } from '../support/real-server.ts';

const alsoIn = ['/usr/lib/nagios/plugins', '/usr/lib/monitoring-plugins'];
const found = findPrograms([
  { program: 'check_http', from: 'monitoring-plugins-basic', alsoIn },
  { program: 'check_tcp', from: 'monitoring-plugins-basic', alsoIn },
  NGINX,
]);

/** check_ping, where this machine lets us ping. */
const mayPing = findPing();

function findPing(): string | undefined {
  if (!found) return undefined;
  const path = join(dirname(found[1]), 'check_ping');
  const asked = spawnSync(path, ['-H', '127.0.0.1', '-p', '1', '-w', '5000,90%', '-c', '5000,100%']);
  if (asked.status === 0) return path;
  // oxlint-disable-next-line no-console -- a test that is skipped must say what it misses
  console.warn(`skipped: check_ping may not ping here: ${asked.error?.message ?? String(asked.stdout)}`);
  return undefined;
}

/** A plugin says CRITICAL for a frozen server as for a stopped one: from outside, its exit is all there is. */
const CRITICAL = { reason: 'exit', class: 'explicit' };

describe.skipIf(!found)('monitoring-plugins by exec', () => {
  test('exit codes are verdicts, performance data are facts', async () => {
    const [checkHttp, checkTcp, program] = found!;
    const server = await nginx(program);
    await server.start();
    const port = String(server.port);
    const asking = (path: string, ...more: string[]) => ({
      exec: [checkHttp, '-I', '127.0.0.1', '-p', port, '-u', path, ...more],
    });
    const said = await askOnce({
      fine: asking('/healthz', '-s', '"ok"'),
      slow: asking('/healthz', '-w', '0.0000001'),
      broken: asking('/broken'),
      connect: { exec: [checkTcp, '-H', '127.0.0.1', '-p', port] },
      misused: { exec: [checkTcp, '--no-such-option'] },
    });
    expect(said).toMatchObject({
      fine: {
        probe: 'exec',
        status: 'ok',
        reason: null,
        class: null,
        message: expect.stringMatching(/^HTTP OK/),
        facts: { time: expect.any(Number), size: expect.any(Number) },
      },
      slow: { status: 'warn', reason: null, message: expect.stringMatching(/^HTTP WARNING/) },
      broken: { status: 'fail', ...CRITICAL, message: expect.stringMatching(/^HTTP CRITICAL.*503/) },
      connect: {
        status: 'ok',
        message: expect.stringMatching(/^TCP OK/),
        facts: { time: expect.any(Number) },
      },
      misused: { status: 'void', reason: null, class: null },
    });
  });

  test('check_tcp and check_ssh: a port that is closed, one that is slow, one that says the wrong thing', async () => {
    const [, checkTcp, program] = found!;
    const server = await nginx(program);
    await server.start();
    const [port, closed] = [String(server.port), String(await freePort())];
    const checkSsh = join(dirname(checkTcp), 'check_ssh');
    const said = await askOnce({
      slow: { exec: [checkTcp, '-H', '127.0.0.1', '-p', port, '-w', '0.0000001'] },
      closed: { exec: [checkTcp, '-H', '127.0.0.1', '-p', closed] },
      'no-ssh': { exec: [checkSsh, '-p', closed, '127.0.0.1'] },
      'misused-ssh': { exec: [checkSsh] },
    });
    expect(said).toMatchObject({
      slow: { status: 'warn', message: expect.stringMatching(/^TCP WARNING/) },
      closed: { status: 'fail', ...CRITICAL, message: expect.stringContaining('refused') },
      'no-ssh': { status: 'fail', ...CRITICAL, message: expect.stringContaining('refused') },
      'misused-ssh': { status: 'void' },
    });
  });

  describe('the host: ok, warn, critical and unknown of each', () => {
    test.each([
      {
        plugin: 'check_disk',
        fine: ['-w', '0%', '-c', '0%', '-p', '/'],
        warned: ['-w', '100%', '-c', '0%', '-p', '/'],
        broken: ['-w', '100%', '-c', '100%', '-p', '/'],
        facts: { '/': expect.any(Number) },
      },
      {
        plugin: 'check_load',
        fine: ['-w', '999,999,999', '-c', '999,999,999'],
        warned: ['-w', '0,0,0', '-c', '999,999,999'],
        broken: ['-w', '0,0,0', '-c', '0,0,0'],
        facts: { load1: expect.any(Number), load5: expect.any(Number), load15: expect.any(Number) },
      },
      {
        plugin: 'check_procs',
        fine: ['-w', '1:999999', '-c', '1:999999'],
        warned: ['-w', '999999:', '-c', '1:'],
        broken: ['-c', '999999:'],
        facts: { procs: expect.any(Number) },
      },
    ])('$plugin', async ({ plugin, fine, warned, broken, facts }) => {
      const path = join(dirname(found![1]), plugin);
      expect(
        await askOnce({
          fine: { exec: [path, ...fine] },
          warned: { exec: [path, ...warned] },
          broken: { exec: [path, ...broken] },
          misused: { exec: [path, '--no-such-option'] },
        }),
      ).toMatchObject({
        fine: { status: 'ok', message: expect.stringMatching(/^[A-Z]+ OK/), facts },
        warned: { status: 'warn', message: expect.stringMatching(/^[A-Z]+ WARNING/), facts },
        broken: { status: 'fail', ...CRITICAL, message: expect.stringMatching(/^[A-Z]+ CRITICAL/), facts },
        misused: { status: 'void', reason: null, class: null },
      });
    });

    test.skipIf(!mayPing)('check_ping', async () => {
      const asking = (...more: string[]) => ({
        exec: { command: [mayPing, '-H', '127.0.0.1', '-p', '1', ...more] },
        timeout: '5s',
      });
      expect(
        await askOnce({
          fine: asking('-w', '5000,90%', '-c', '5000,100%'),
          warned: asking('-w', '0.00001,90%', '-c', '5000,100%'),
          broken: asking('-w', '0.00001,90%', '-c', '0.00001,100%'),
          misused: asking('-w', 'nonsense'),
        }),
      ).toMatchObject({
        fine: {
          status: 'ok',
          message: expect.stringMatching(/^PING OK/),
          facts: { rta: expect.any(Number), pl: 0 },
        },
        warned: { status: 'warn', message: expect.stringMatching(/^PING WARNING/) },
        broken: { status: 'fail', ...CRITICAL, message: expect.stringMatching(/^PING CRITICAL/) },
        misused: { status: 'void' },
      });
    });
  });

  test('up, frozen, killed and back', async () => {
    const [checkHttp, , program] = found!;
    const server = await nginx(program);
    await server.start();
    const { agent, ends, reaches, recovers } = await watch({
      probe: { exec: [checkHttp, '-I', '127.0.0.1', '-p', String(server.port), '-u', '/healthz', '-t', '1'] },
      // A plugin's own timeout is in whole seconds, and ours has to let it come to its verdict.
      rules: { interval: '2s', timeout: '2s', retry_interval: '100ms' },
      mend: server.mend,
    });
    const up = await reaches('up');
    server.freeze();
    const frozen = await reaches('down', up);
    const thawed = await recovers(frozen);
    await server.stop();
    const stopped = await reaches('down', thawed);
    await recovers(stopped);
    await ends([CRITICAL, CRITICAL]);
    expect(frozen['message']).toMatch(/timeout/i);
    expect(stopped['message']).toMatch(/refused/i);
    expect(agent.records).not.toContainEqual(expect.objectContaining({ reason: 'timeout' }));
  });
});
