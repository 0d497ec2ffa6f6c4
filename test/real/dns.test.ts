import { describe, expect, test } from 'vitest';
import { dns } from '../../probes/dns/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { outlives } from '../support/incidents.ts';
import { findPrograms } from '../support/programs.ts';
import { type RealServer, freePort, realServer, temporaryDirectory } from '../support/real-server.ts';
import { verdict } from '../support/verdict.ts';

const found = findPrograms([{ program: 'dnsmasq', from: 'dnsmasq-base' }]);

/** Knows its own names and asks nobody else. */
async function dnsmasq(): Promise<RealServer> {
  const cwd = temporaryDirectory();
  const port = await freePort();
  const settings = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--pid-file=',
    '--user=',
    '--group=',
    '--no-resolv',
    '--no-hosts',
    `--port=${port}`,
    '--listen-address=127.0.0.1',
    '--bind-interfaces',
    '--local=/test.internal/',
    '--host-record=web.test.internal,10.1.2.3,2001:db8::3',
    '--cname=www.test.internal,web.test.internal',
    '--mx-host=test.internal,mail.test.internal,10',
    '--txt-record=test.internal,v=spf1 -all',
    '--srv-host=_http._tcp.test.internal,web.test.internal,80,1,2',
    '--caa-record=test.internal,0,issue,ca.test',
    ...Array.from({ length: 40 }, (_, index) => `--txt-record=large.test.internal,${'x'.repeat(90)}${index}`),
  ];
  return realServer({ argv: [found![0], ...settings], port, cwd });
}

describe.skipIf(!found)('dnsmasq by dns', () => {
  test('up, frozen, stopped and back', async () => {
    const mine = await dnsmasq();
    await mine.start();
    await outlives(mine, { dns: `web.test.internal@127.0.0.1:${mine.port}` });
  });

  test('records of each type, an alias, a name that is not there, a reply above one datagram', async () => {
    const mine = await dnsmasq();
    await mine.start();
    async function ask(
      name: string,
      type: string,
      expected: object = {},
      more: object = {},
    ): Promise<string> {
      const server = `127.0.0.1:${mine.port}`;
      const attempt = await attemptOnce(dns, { name, type, server, expect: expected, ...more });
      return `${verdict(attempt)}: ${attempt.outcome.message}`;
    }
    expect(await ask('web.test.internal', 'A', { answers: '10.1.2.3', authoritative: true })).toBe(
      'ok: 10.1.2.3',
    );
    expect(await ask('web.test.internal', 'AAAA', { answers: '2001:DB8::3' })).toBe('ok: 2001:db8::3');
    expect(await ask('www.test.internal', 'A')).toBe('ok: 10.1.2.3');
    expect(await ask('www.test.internal', 'CNAME')).toBe('ok: web.test.internal');
    expect(await ask('test.internal', 'MX')).toBe('ok: 10 mail.test.internal');
    expect(await ask('test.internal', 'TXT')).toBe('ok: v=spf1 -all');
    expect(await ask('_http._tcp.test.internal', 'SRV')).toBe('ok: 1 2 80 web.test.internal');
    expect(await ask('test.internal', 'CAA', { answers: '0 issue ca.test' })).toBe('ok: 0 issue "ca.test"');
    expect(await ask('10.1.2.3', 'PTR')).toBe('ok: web.test.internal');
    expect(await ask('nope.test.internal', 'A')).toBe('fail status explicit: the server says NXDOMAIN');
    expect(await ask('nope.test.internal', 'A', { rcode: 'NXDOMAIN' })).toBe('ok: NXDOMAIN');
    expect(await ask('elsewhere.example', 'A')).toBe('fail status explicit: the server says REFUSED');
    expect(await ask('web.test.internal', 'A', {}, { transport: 'tcp' })).toBe('ok: 10.1.2.3');
    expect(await ask('large.test.internal', 'TXT', { min_answers: 40 })).toMatch(/^ok: x/);
  });
});
