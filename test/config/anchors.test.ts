import { describe, expect, test } from 'vitest';
import { probes } from '../../probes/index.ts';
import { type AnchorChoice, anchorTargets, gateways, resolvers } from '../../src/config/anchors.ts';
import { aTarget } from '../support/targets.ts';

const ROUTES = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
`;

test('the gateway is read from the table of routes', () => {
  expect(gateways(ROUTES)).toEqual(['192.0.2.1']);
  expect(gateways('')).toEqual([]);
});

test('the resolvers are read from resolv.conf', () => {
  const file =
    '# a comment\nsearch internal\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nnameserver nonsense\n';
  expect(resolvers(file)).toEqual(['192.0.2.53', '2001:db8::53']);
});

describe('anchors', () => {
  const files: Readonly<Record<string, string>> = {
    '/proc/net/route': ROUTES,
    '/etc/resolv.conf': 'nameserver 127.0.0.53\nnameserver 192.0.2.53\n',
  };
  const readSystem = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw new Error('ENOENT');
    return text;
  };
  const names = (choice: AnchorChoice, ...hosts: (string | undefined)[]): string[] =>
    anchorTargets(
      choice,
      hosts.map((host) => aTarget(host === undefined ? {} : { host })),
      { probes, readSystem },
    ).map(({ name }) => name);

  test('auto: the gateway and the resolvers, but nothing on this host', () => {
    expect(names(undefined, 'web.internal')).toEqual(['anchor 192.0.2.1:53', 'anchor 192.0.2.53:53']);
  });

  test.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost', 'app.localhost', undefined])(
    'auto, with all targets on this host (%s): none, no network is needed to reach them',
    (host) => expect(names(undefined, host)).toEqual([]),
  );

  test('off: none', () => expect(names([], 'web.internal')).toEqual([]));

  test('as they are written', () => {
    expect(names([{ host: '10.0.0.1', port: 443 }], '127.0.0.1')).toEqual(['anchor 10.0.0.1:443']);
  });

  test('what the system does not tell is not there', () => {
    const silent = {
      probes,
      readSystem: () => {
        throw new Error('ENOENT');
      },
    };
    expect(anchorTargets(undefined, [aTarget({ host: 'web' })], silent)).toEqual([]);
  });
});
