import { describe, expect, test } from 'vitest';
import type { Layout, Publication } from '../../src/core/publication.ts';
import { rendered, withoutLease } from '../../src/publish/layout.ts';

const UNTIL = '2026-01-01T00:01:00.000Z';

const WEB: Publication = {
  group: 'web',
  panic: false,
  stale: false,
  nodes: [
    { name: 'web-1', address: { host: '10.0.0.1', port: 8080 }, weight: 1, state: 'up', published: true },
    { name: 'web-2', address: { host: '10.0.0.2', port: 8080 }, weight: 1, state: 'down', published: false },
    { name: 'web-3', address: { host: 'fd00::3', port: 8080 }, weight: 5, state: 'suspect', published: true },
  ],
};

function lines(layout: Layout, publication = WEB): string[] {
  const text = rendered(layout, publication, UNTIL);
  expect(text.endsWith('\n')).toBe(true);
  return text.split('\n').slice(0, -1);
}

test('nginx: all nodes, since an upstream needs one; those that are out are down', () => {
  expect(lines({ format: 'nginx' })).toEqual([
    `# vitald: web, valid until ${UNTIL}`,
    'upstream web {',
    '    server 10.0.0.1:8080 weight=1; # web-1',
    '    server 10.0.0.2:8080 weight=1 down; # web-2',
    '    server [fd00::3]:8080 weight=5; # web-3',
    '}',
  ]);
});

test('hosts: the group and the node, for those that are published', () => {
  expect(lines({ format: 'hosts' }, { ...WEB, panic: true })).toEqual([
    `# vitald: web, panic, valid until ${UNTIL}`,
    '10.0.0.1 web web-1',
    'fd00::3 web web-3',
  ]);
});

test('haproxy_map: up and down by the name', () => {
  expect(lines({ format: 'haproxy_map' })).toEqual([
    `# vitald: web, valid until ${UNTIL}`,
    'web-1 up',
    'web-2 down',
    'web-3 up',
  ]);
});

test('file_sd: as Prometheus reads it', () => {
  expect(JSON.parse(rendered({ format: 'file_sd' }, WEB, UNTIL))).toEqual(
    [
      ['10.0.0.1:8080', 'web-1'],
      ['[fd00::3]:8080', 'web-3'],
    ].map(([target, node]) => ({
      targets: [target],
      labels: { group: 'web', node, __meta_vitald_valid_until: UNTIL, __meta_vitald_panic: 'false' },
    })),
  );
});

test('json: all that is known', () => {
  expect(JSON.parse(rendered({ format: 'json' }, { ...WEB, stale: true }, UNTIL))).toEqual({
    group: 'web',
    valid_until: UNTIL,
    panic: false,
    stale: true,
    members: [
      { name: 'web-1', host: '10.0.0.1', port: 8080, weight: 1, state: 'up', published: true },
      { name: 'web-2', host: '10.0.0.2', port: 8080, weight: 1, state: 'down', published: false },
      { name: 'web-3', host: 'fd00::3', port: 8080, weight: 5, state: 'suspect', published: true },
    ],
  });
});

describe('a template', () => {
  const layout = {
    header: '; {group} until {valid_until}, panic {panic}',
    line: '{name}={address} {host} {port} {weight} {other}',
    footer: '',
  };

  test('has a line for each node that is published', () => {
    expect(lines(layout)).toEqual([
      `; web until ${UNTIL}, panic false`,
      'web-1=10.0.0.1:8080 10.0.0.1 8080 1 {other}',
      'web-3=[fd00::3]:8080 fd00::3 8080 5 {other}',
    ]);
  });

  test('what is put in is not looked at again', () => {
    const odd = { ...WEB, nodes: [{ ...WEB.nodes[0]!, name: '{host}' }] };
    expect(lines({ header: '', line: '{name}', footer: '' }, odd)).toEqual(['{host}']);
  });
});

test.each(['json', 'file_sd', 'hosts', 'nginx', 'haproxy_map'] as const)(
  '%s: texts that differ in the lease alone are the same',
  (format) => {
    const [one, other] = [UNTIL, '2027-07-01T12:00:00Z'].map((until) => rendered({ format }, WEB, until));
    expect(one).not.toBe(other);
    expect(withoutLease(one!)).toBe(withoutLease(other!));
    expect(withoutLease(one!)).toBe(rendered({ format }, WEB, ''));
  },
);
