import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { answersOf } from '../support/answers.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { ask, said } from '../support/contrib.ts';
import { findPrograms } from '../support/programs.ts';
import { type RealServer, freePort, realServer, temporaryDirectory, until } from '../support/real-server.ts';

const found = findPrograms([
  { program: 'etcd', from: 'etcd-server' },
  { program: 'etcdctl', from: 'etcd-client' },
  { program: 'python3', from: 'python3' },
]);

const promised = promisify(execFile);

interface Member extends RealServer {
  readonly url: string;
  control(...words: string[]): Promise<string>;
}

/** The members of one cluster, not started yet. */
async function cluster(size: number, ...settings: string[]): Promise<Member[]> {
  const scheme = settings.includes('--client-cert-auth') ? 'https' : 'http';
  const ports = await Promise.all(Array.from({ length: 2 * size }, freePort));
  const peers = ports.slice(size).map((port) => `http://127.0.0.1:${port}`);
  const all = peers.map((peer, index) => `m${index}=${peer}`).join(',');
  return peers.map((peer, index) => {
    const port = ports[index]!;
    const url = `${scheme}://127.0.0.1:${port}`;
    const cwd = temporaryDirectory();
    const places = {
      name: `m${index}`,
      'data-dir': join(cwd, 'data'),
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': peer,
      'initial-advertise-peer-urls': peer,
      'initial-cluster': all,
    };
    const argv = Object.entries(places).flatMap(([name, value]) => [`--${name}`, value]);
    return {
      ...realServer({ argv: [found![0], ...argv, ...settings], port, cwd }),
      url,
      async control(...words) {
        const { stdout } = await promised(found![1], [`--endpoints=${url}`, ...words], {
          env: { ...process.env, ETCDCTL_API: '3' },
        });
        return stdout;
      },
    };
  });
}

function asking({ url }: { url: string }, args: string[] = [], env = {}): Promise<Outcome> {
  return ask('etcd.py', ['--url', url, ...args], env);
}

async function healthy(member: Member): Promise<void> {
  await until('the member to be healthy', async () => (await asking(member)).status === 'ok');
}

// Servers take their time to start and to notice: this bounds a hang, it times nothing.
describe.skipIf(!found)('etcd.py', { timeout: 120_000 }, () => {
  test('one member: its size, its alarm, its login', async () => {
    const [member] = (await cluster(1, '--quota-backend-bytes', '2000000')) as [Member];
    await member.start();
    await healthy(member);
    const fine = await asking(member);
    expect(said(fine)).toMatch(/^ok: healthy, leads, 1 members, the database fills \d %$/);
    expect(fine.facts).toMatchObject({ members: 1, db: expect.any(Number), db_used: expect.any(Number) });
    expect(said(await asking(member, ['--members', '3']))).toBe('fail: 1 of 3 members');
    expect(said(await asking(member, ['--quota', '1k']))).toMatch(
      /^fail: the database fills \d+ % of its quota$/,
    );
    expect(said(await asking(member, ['--quota', '1k', '--db-fail', '1000000']))).toMatch(
      /^warn: the database fills/,
    );

    // Written until the quota refuses, which raises the alarm.
    const filler = 'x'.repeat(100_000);
    await until('the quota to refuse', async () =>
      member.control('put', 'filler', filler).then(
        () => false,
        () => true,
      ),
    );
    await until('the alarm to be up', async () => (await asking(member)).status === 'fail');
    expect(said(await asking(member))).toMatch(
      /^fail: (alarm NOSPACE of member m0|the member is not healthy)/,
    );
    await member.control('alarm', 'disarm');
    await healthy(member);

    await member.control('user', 'add', 'root:secret');
    await member.control('user', 'grant-role', 'root', 'root');
    await member.control('auth', 'enable');
    const login = { ETCD_USER: 'root', ETCD_PASSWORD: 'secret' };
    expect((await asking(member, [], login)).status).toBe('ok');
    expect(said(await asking(member, [], { ...login, ETCD_PASSWORD: 'wrong' }))).toMatch(
      /^void: the login was refused: /,
    );
    await member.stop();
    expect(said(await asking(member))).toMatch(/^fail: no answer: .*refused/);
  });

  test.skipIf(opensslProblem())('over TLS, with a client certificate', async () => {
    const authority = createAuthority();
    onTestFinished(authority.remove);
    const [own, client] = [
      authority.issue('etcd', 'IP:127.0.0.1', 1),
      authority.issue('vitald', 'DNS:vitald', 1),
    ];
    const [member] = (await cluster(
      1,
      '--client-cert-auth',
      `--cert-file=${own.certFile}`,
      `--key-file=${own.keyFile}`,
      `--trusted-ca-file=${authority.certFile}`,
    )) as [Member];
    await member.start();
    const trust = ['--ca', authority.certFile];
    const shown = ['--cert', client.certFile, '--key', client.keyFile];
    await until('the member to be healthy', async () => {
      return (await asking(member, [...trust, ...shown])).status === 'ok';
    });
    expect(said(await asking(member, trust))).toMatch(
      /^fail: no answer: .*(alert|certificate|closed|reset)/i,
    );
    expect(said(await asking(member, shown))).toMatch(/^fail: no answer: .*CERTIFICATE_VERIFY_FAILED/);
    expect((await asking(member, ['--insecure', ...shown])).status).toBe('ok');
    expect(said(await asking(member, ['--ca', '/nowhere']))).toMatch(/^void: the TLS files cannot be used: /);
  });

  test('a cluster that loses its quorum, and gets it back', async () => {
    const members = await cluster(2);
    const [one, other] = members as [Member, Member];
    await Promise.all(members.map(({ start }) => start()));
    await healthy(one);
    const both = [said(await asking(one)), said(await asking(other))];
    expect(both.toSorted()).toEqual([
      expect.stringMatching(/^ok: healthy, follows m\d, 2 members/),
      expect.stringMatching(/^ok: healthy, leads, 2 members/),
    ]);
    await other.stop();
    await until('the quorum to be missed', async () => (await asking(one)).status === 'fail');
    expect(said(await asking(one))).toMatch(/^fail: the member is not healthy: /);
    await other.start();
    await healthy(one);
  });
});

describe.skipIf(!found)('etcd.py, misused', () => {
  test('another service, a wrong setting', async () => {
    expect(said(await asking({ url: await answersOf({ '/health': { text: 'OK' } }) }))).toBe(
      'void: no JSON, but status 200: is this etcd?',
    );
    expect(said(await asking({ url: await answersOf({}) }))).toBe(
      'void: no health in the answer: is this etcd?',
    );
    expect(said(await ask('etcd.py', ['--quota', '2T']))).toBe(
      "void: argument --quota: invalid size value: '2T'",
    );
  });
});
