import { describe, expect, test } from 'vitest';
import { askOnce, watch } from '../support/incidents.ts';
import { NGINX, nginx } from '../support/nginx.ts';
import { findPrograms } from '../support/programs.ts';

const alsoIn = ['/usr/lib/nagios/plugins', '/usr/lib/monitoring-plugins'];
const found = findPrograms([
  { program: 'check_http', from: 'monitoring-plugins-basic', alsoIn },
  { program: 'check_tcp', from: 'monitoring-plugins-basic', alsoIn },
  NGINX,
]);

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

  test('up, frozen, killed and back', async () => {
    const [checkHttp, , program] = found!;
    const server = await nginx(program);
    await server.start();
    const { agent, ends, reaches } = await watch({
      probe: { exec: [checkHttp, '-I', '127.0.0.1', '-p', String(server.port), '-u', '/healthz', '-t', '1'] },
      // A plugin's own timeout is in whole seconds, and ours has to let it come to its verdict.
      rules: { interval: '2s', timeout: '2s', retry_interval: '100ms' },
      mend: server.mend,
    });
    const up = await reaches('up');
    server.freeze();
    const frozen = await reaches('down', up);
    const thawed = await reaches('up', await reaches('recovering', frozen));
    await server.stop();
    const stopped = await reaches('down', thawed);
    await reaches('up', await reaches('recovering', stopped));
    await ends([CRITICAL, CRITICAL]);
    expect(frozen['message']).toMatch(/timeout/i);
    expect(stopped['message']).toMatch(/refused/i);
    expect(agent.records).not.toContainEqual(expect.objectContaining({ reason: 'timeout' }));
  });
});
