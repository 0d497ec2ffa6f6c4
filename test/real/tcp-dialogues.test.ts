import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tcp } from '../../probes/tcp/probe.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { outlives } from '../support/incidents.ts';
import { findPrograms } from '../support/programs.ts';
import { freePort, realServer, temporaryDirectory } from '../support/real-server.ts';
import { verdict } from '../support/verdict.ts';

const noOpenssl = opensslProblem();
// oxlint-disable-next-line no-console
if (noOpenssl) console.warn(`tcp-dialogues.test.ts skips NATS: ${noOpenssl}`);
const nats = findPrograms([{ program: 'nats-server', from: 'nats-server' }]);
const mosquitto = findPrograms([{ program: 'mosquitto', from: 'mosquitto' }]);

async function ask(settings: object): Promise<string> {
  const attempt = await attemptOnce(tcp, settings, { timeoutMs: 10_000 });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

describe.skipIf(!nats || noOpenssl)('NATS, which greets in plain and goes on over TLS', () => {
  test('up, frozen, stopped and back', async () => {
    const ca = createAuthority();
    const own = ca.issue('nats', 'IP:127.0.0.1');
    const port = await freePort();
    const cwd = temporaryDirectory();
    const argv = [
      '-a',
      '127.0.0.1',
      '-p',
      `${port}`,
      '--tls',
      '--tlscert',
      own.certFile,
      '--tlskey',
      own.keyFile,
    ];
    const server = realServer({ argv: [nats![0], ...argv], port, cwd });
    await server.start();
    const steps = [
      { expect: '^INFO .*"tls_required":true' },
      { starttls: { ca: ca.certFile } },
      {
        send: 'CONNECT {"verbose":true,"pedantic":true}\r\nPING\r\n',
        expect: '^PONG\r?$',
        expect_not: '^-ERR',
      },
    ];
    const settings = { address: `127.0.0.1:${port}`, steps };
    expect(await ask(settings)).toBe('ok: the dialogue went as expected');
    expect(await ask({ ...settings, steps: [steps[0], { starttls: true }] })).toMatch(
      /^fail tls explicit: step 2: /,
    );
    expect(await ask({ ...settings, steps: [steps[0], { send: 'HELLO\r\n', expect: 'PONG' }] })).toMatch(
      /^fail (closed|reset) explicit: step 2: /,
    );

    await outlives(server, { tcp: settings });
    ca.remove();
  });
});

describe.skipIf(!mosquitto)('MQTT, in bytes', () => {
  test('a CONNECT is acknowledged, one of a version that nobody speaks is not', async () => {
    const port = await freePort();
    const cwd = temporaryDirectory();
    const file = join(cwd, 'mosquitto.conf');
    writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
    const server = realServer({ argv: [mosquitto![0], '-c', file], port, cwd });
    await server.start();
    const connect = (level: string): string => `10 0e 0004 4d515454 ${level} 02 003c 0002 7664`;
    const address = `127.0.0.1:${port}`;
    expect(await ask({ address, send_hex: connect('04'), expect_hex: '20020000' })).toMatch(/^ok/);
    expect(await ask({ address, send_hex: connect('7f'), expect_hex: '20020000' })).toMatch(
      /^fail (closed|reset)/,
    );
    expect(await ask({ address, send_hex: connect('04'), expect: String.raw`^\x20\x02\x00\x00` })).toMatch(
      /^ok/,
    );
  });
});
