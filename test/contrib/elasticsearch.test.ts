import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/core/outcome.ts';
import { type Answers, answersOf } from '../support/answers.ts';
import { ask, said } from '../support/contrib.ts';
import { findPrograms } from '../support/programs.ts';
import { freePort } from '../support/real-server.ts';

/**
 * No Elasticsearch runs here. The answers are written after the reference of the cluster health and cat nodes APIs, and
 * have all of their fields.
 */
const HEALTH = {
  cluster_name: 'shop',
  status: 'green',
  timed_out: false,
  number_of_nodes: 3,
  number_of_data_nodes: 2,
  active_primary_shards: 10,
  active_shards: 20,
  relocating_shards: 0,
  initializing_shards: 0,
  unassigned_shards: 0,
  delayed_unassigned_shards: 0,
  number_of_pending_tasks: 0,
  number_of_in_flight_fetch: 0,
  task_max_waiting_in_queue_millis: 0,
  active_shards_percent_as_number: 100.0,
};
const NODES = [
  { name: 'es-1', master: '*' },
  { name: 'es-2', master: '-' },
  { name: 'es-3', master: '-' },
];
const NO_MASTER = {
  error: {
    root_cause: [{ type: 'master_not_discovered_exception', reason: null }],
    type: 'master_not_discovered_exception',
    reason: null,
  },
  status: 503,
};

const python = findPrograms([{ program: 'python3', from: 'python3' }]);

async function asked(health: object, args: string[] = [], nodes: object = NODES): Promise<Outcome> {
  const url = await answersOf({
    '/_cluster/health': { json: { ...HEALTH, ...health } },
    '/_cat/nodes': { json: nodes },
  });
  return ask('elasticsearch.py', ['--url', url, ...args]);
}

describe.skipIf(!python)('elasticsearch.py against answers after the reference', () => {
  test('green', async () => {
    const outcome = await asked({}, ['--nodes', '3', '--data-nodes', '2', '--names', 'es-1,es-3']);
    expect(said(outcome)).toBe('ok: cluster shop is green: 3 nodes, the master is es-1');
    expect(outcome.facts).toEqual({
      nodes: 3,
      data_nodes: 2,
      active_shards: 20,
      unassigned_shards: 0,
      relocating_shards: 0,
      pending_tasks: 0,
    });
  });

  test.each<[string, object, string[]]>([
    ['warn: cluster shop: yellow: 4 shards unassigned', { status: 'yellow', unassigned_shards: 4 }, []],
    ['ok: cluster shop is yellow: 3 nodes, the master is es-1', { status: 'yellow' }, ['--yellow', 'ok']],
    ['fail: cluster shop: yellow: 0 shards unassigned', { status: 'yellow' }, ['--yellow', 'fail']],
    [
      'fail: cluster shop: red: data is missing, 2 shards unassigned',
      { status: 'red', unassigned_shards: 2 },
      [],
    ],
    ['fail: cluster shop: 3 of 5 nodes', {}, ['--nodes', '5']],
    ['fail: cluster shop: 2 of 3 data nodes', {}, ['--data-nodes', '3']],
    ['fail: cluster shop: not in the cluster: es-4, es-5', {}, ['--names', 'es-4,es-1,es-5']],
    ['warn: cluster shop: 2 shards unassigned', { unassigned_shards: 2 }, ['--unassigned-warn', '1']],
    ['warn: cluster shop: 200 cluster tasks wait', { number_of_pending_tasks: 200 }, []],
    ["void: argument --nodes: invalid int value: 'many'", {}, ['--nodes', 'many']],
    ['void: unrecognized arguments: --node 3', {}, ['--node', '3']],
  ])('%s', async (expected, health, args) => expect(said(await asked(health, args))).toBe(expected));

  test('no master', async () => {
    expect(said(await asked({}, [], [{ name: 'es-1', master: '-' }]))).toBe(
      'fail: cluster shop: no node is the master',
    );
    const url = await answersOf({ '/_cluster/health': { status: 503, json: NO_MASTER } });
    expect(said(await ask('elasticsearch.py', ['--url', url]))).toBe(
      'fail: the cluster has no master: this node knows of none',
    );
  });

  test.each<[string, Answers]>([
    ['void: the login was refused: status 401', { '/_cluster/health': { status: 401, json: {} } }],
    ['void: no JSON, but status 200: is this Elasticsearch?', { '/_cluster/health': { text: '<html>' } }],
    [
      'fail: no JSON, but status 502: is this Elasticsearch?',
      { '/_cluster/health': { status: 502, text: 'Bad' } },
    ],
    ['void: status 404 from _cluster/health: is this Elasticsearch?', {}],
    [
      "void: an answer that this script does not understand: KeyError('number_of_nodes')",
      { '/_cluster/health': { json: { status: 'green' } } },
    ],
  ])('%s', async (expected, answers) => {
    expect(said(await ask('elasticsearch.py', ['--url', await answersOf(answers)]))).toBe(expected);
  });

  test('how to log in comes from the environment', async () => {
    const heard: (string | undefined)[] = [];
    const url = await answersOf({
      '/_cluster/health': ({ headers }) => {
        heard.push(headers.authorization);
        return { json: HEALTH };
      },
      '/_cat/nodes': { json: NODES },
    });
    for (const env of [{ ES_USER: 'u', ES_PASSWORD: 'p' }, { ES_API_KEY: 'k' }, { ES_TOKEN: 't' }, {}]) {
      expect((await ask('elasticsearch.py', ['--url', url], env as Record<string, string>)).status).toBe(
        'ok',
      );
    }
    expect(heard).toEqual(['Basic dTpw', 'ApiKey k', 'Bearer t', undefined]);
  });

  test('nobody is there', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(said(await ask('elasticsearch.py', ['--url', url]))).toMatch(/^fail: no answer: .*refused/);
  });
});
