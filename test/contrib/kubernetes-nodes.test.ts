import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { type Answers, answersOf } from '../support/answers.ts';
import { ask, said } from '../support/contrib.ts';
import { findPrograms } from '../support/programs.ts';
import { freePort } from '../support/real-server.ts';

/**
 * No Kubernetes runs here. The answers are written after the API reference (v1 Node, coordination.k8s.io/v1 Lease) and
 * the words of the kubelet and the node controller.
 */
const NOW = 'Wed, 25 Nov 2026 12:00:00 GMT';

type Conditions = Readonly<Record<string, string>>;

const READY: Conditions = {
  MemoryPressure: 'False',
  DiskPressure: 'False',
  PIDPressure: 'False',
  Ready: 'True',
};

function node(name: string, changed: Conditions = {}, message?: string, spec: object = {}): object {
  const all = Object.entries({ ...READY, ...changed });
  return {
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    spec: { podCIDR: '10.244.0.0/24', ...spec },
    status: {
      conditions: all.map(([type, status]) => ({
        type,
        status,
        lastHeartbeatTime: '2026-11-25T11:58:00Z',
        reason: type === 'Ready' ? 'KubeletReady' : `KubeletHasNo${type}`,
        message:
          type === 'Ready' ? (message ?? 'kubelet is posting ready status') : 'kubelet has no pressure',
      })),
    },
  };
}

function lease(name: string, secondsOld: number): object {
  const renewTime = new Date(Date.parse(NOW) - secondsOld * 1_000).toISOString().replace('Z', '000Z');
  return {
    metadata: { name, namespace: 'kube-node-lease' },
    spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime },
  };
}

const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

function cluster(nodes: object[], leases: object[]): Answers {
  const headers = { date: NOW };
  return {
    '/api/v1/nodes': { json: { kind: 'NodeList', apiVersion: 'v1', metadata: {}, items: nodes }, headers },
    [LEASES]: {
      json: { kind: 'LeaseList', apiVersion: 'coordination.k8s.io/v1', metadata: {}, items: leases },
      headers,
    },
  };
}

const python = findPrograms([{ program: 'python3', from: 'python3' }]);

async function asked(answers: Answers, args: string[] = [], env = { KUBE_TOKEN: 't' }): Promise<Outcome> {
  return ask('kubernetes-nodes.py', ['--server', await answersOf(answers), ...args], env);
}

const TWO = [node('a'), node('b')];
const FRESH = [lease('a', 3), lease('b', 7)];

describe.skipIf(!python)('kubernetes-nodes.py against answers after the reference', () => {
  test('all ready', async () => {
    const outcome = await asked(cluster(TWO, FRESH), ['--ready', '2']);
    expect(said(outcome)).toBe('ok: 2 nodes ready, the oldest lease is 7 s old');
    expect(outcome.facts).toEqual({ nodes: 2, ready: 2, not_ready: 0, cordoned: 0, oldest_lease: 7 });
  });

  const STOPPED = 'Kubelet stopped posting node status.';
  test.each<[string, object[], object[], string[]]>([
    [
      `fail: 1 of 2 nodes not ready: b (${STOPPED})`,
      [node('a'), node('b', { Ready: 'Unknown' }, STOPPED)],
      FRESH,
      [],
    ],
    [
      `warn: 1 of 2 nodes not ready: b (${STOPPED})`,
      [node('a'), node('b', { Ready: 'Unknown' }, STOPPED)],
      FRESH,
      ['--not-ready-fail', '2'],
    ],
    [
      'fail: 1 of 2 nodes not ready: b (container runtime is down); 1 of 2 wanted nodes ready',
      [node('a'), node('b', { Ready: 'False' }, 'container runtime is down')],
      FRESH,
      ['--not-ready-fail', '2', '--ready', '2'],
    ],
    ['fail: 1 of 2 nodes not ready: b (its lease is 50 s old)', TWO, [lease('a', 3), lease('b', 50)], []],
    ['warn: the lease of b is 25 s old', TWO, [lease('a', 3), lease('b', 25)], []],
    ['warn: b has no lease', TWO, [lease('a', 3)], []],
    ['warn: b is short of disk', [node('a'), node('b', { DiskPressure: 'True' })], FRESH, []],
    ['fail: 2 of 3 wanted nodes ready', TWO, FRESH, ['--ready', '3']],
    ['fail: 0 of 1 wanted nodes ready', [], [], []],
    ['fail: there is no node c', TWO, FRESH, ['--node', 'c']],
    ['void: unrecognized arguments: --nodes 3', TWO, FRESH, ['--nodes', '3']],
  ])('%s', async (expected, nodes, leases, args) => {
    expect(said(await asked(cluster(nodes, leases), args))).toBe(expected);
  });

  test('a cordoned node is a fact, and no trouble', async () => {
    const nodes = [node('a'), node('b', {}, undefined, { unschedulable: true })];
    const outcome = await asked(cluster(nodes, FRESH));
    expect([outcome.status, outcome.facts?.['cordoned']]).toEqual(['ok', 1]);
  });

  test('many troubles are named in part', async () => {
    const names = Array.from({ length: 8 }, (_, n) => `n${n}`);
    const nodes = names.map((name) => node(name, { Ready: 'False' }, 'gone'));
    expect(said(await asked(cluster(nodes, [])))).toMatch(
      /^fail: 8 of 8 nodes not ready: n0 \(gone\), .*n4 \(gone\) and 3 more; 0 of 1 wanted/,
    );
  });

  test('one node, a selector, pages, and the token', async () => {
    const heard: string[] = [];
    const answers: Answers = {
      ...cluster([], FRESH),
      '/api/v1/nodes/a': { json: node('a'), headers: { date: NOW } },
      '/api/v1/nodes': ({ url, headers }) => {
        heard.push(`${headers.authorization} ${url}`);
        const first = !url!.includes('continue');
        const items = [node(first ? 'a' : 'b')];
        return { json: { metadata: first ? { continue: 'next' } : {}, items }, headers: { date: NOW } };
      },
    };
    expect(said(await asked(answers, ['--node', 'a']))).toMatch(/^ok: 1 nodes ready/);
    expect(said(await asked(answers, ['--selector', 'pool=web']))).toMatch(/^ok: 2 nodes ready/);
    expect(heard).toEqual([
      'Bearer t /api/v1/nodes?labelSelector=pool%3Dweb&limit=500',
      'Bearer t /api/v1/nodes?labelSelector=pool%3Dweb&limit=500&continue=next',
    ]);
  });

  test('refusals, and what is no API server', async () => {
    const status = (code: number, message: string): Answers => ({
      '/api/v1/nodes': { status: code, json: { kind: 'Status', status: 'Failure', message, code } },
    });
    const forbidden = 'nodes is forbidden: User "system:serviceaccount:x:y" cannot list resource "nodes"';
    expect(said(await asked(status(403, forbidden)))).toBe(`void: the token was refused: ${forbidden}`);
    expect(said(await asked(status(401, 'Unauthorized')))).toBe('void: the token was refused: Unauthorized');
    expect(said(await asked(status(500, 'etcdserver: request timed out')))).toBe(
      'fail: the API server answers with 500: etcdserver: request timed out',
    );
    expect(said(await asked({ '/api/v1/nodes': { text: '<html>' } }))).toMatch(/^void: no JSON/);
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(said(await ask('kubernetes-nodes.py', ['--server', url], { KUBE_TOKEN: 't' }))).toMatch(
      /^fail: no answer from the API server: .*refused/,
    );
    expect(said(await ask('kubernetes-nodes.py', ['--token-file', '/nowhere']))).toMatch(
      /^void: there is no token: /,
    );
  });
});
