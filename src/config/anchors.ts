import { isIP } from 'node:net';
import { z } from 'zod';
import { type HostPort, formatAddress, isLoopback } from '../core/address.ts';
import { POLICY } from '../core/policy.ts';
import type { ProbeRegistry } from '../core/probe.ts';
import type { Target } from '../core/target.ts';
import { address, alsoTakes, expected } from '../schema/scalars.ts';

/** Addresses; undefined for what the system knows. */
export type AnchorChoice = readonly HostPort[] | undefined;

/** Addresses; none for `off`, undefined for `auto`. */
export const anchorsSchema = alsoTakes(
  ['scalar'],
  z.preprocess(
    (raw) => (raw === 'auto' ? undefined : raw === 'off' ? [] : raw),
    z.array(address(), { error: expected('auto, off or a list of addresses (host:port)') }).optional(),
  ),
);

const MOST_DERIVED = 3;
/** Gateways and resolvers tend to answer there, and be it by a refusal. */
const PORT = 53;
const TIMEOUT_MS = 1_000;

/** The anchors as targets of their own: connected to, without a verdict. */
export function anchorTargets(
  choice: AnchorChoice,
  targets: readonly Target[],
  { probes, readSystem }: { readonly probes: ProbeRegistry; readonly readSystem: (path: string) => string },
): Target[] {
  const probe = probes['tcp'];
  if (!probe) return [];
  const addresses = choice ?? derived(targets, readSystem);
  return addresses.map((address) => {
    const name = formatAddress(address);
    return {
      name: `anchor ${name}`,
      labels: {},
      purpose: 'dependency',
      probe: { kind: 'tcp', settings: probe.settings.parse(name) },
      rules: {
        intervalMs: TIMEOUT_MS,
        timeoutMs: TIMEOUT_MS,
        retryIntervalMs: TIMEOUT_MS,
        failureThreshold: 1,
        successThreshold: 1,
        degradedThreshold: 1,
        restoredThreshold: 1,
        slowAfter: 'off',
        confirm: { explicit: 0, silent: 0, path: 0 },
        suspectAfter: 'off',
      },
      dependsOn: [],
      notify: [],
      recover: [],
      policy: POLICY,
      fingerprint: name,
      probeFingerprint: name,
    };
  });
}

/** The default gateway and the resolvers; none where every target is on this host, for which no network is needed. */
function derived(targets: readonly Target[], readSystem: (path: string) => string): HostPort[] {
  if (targets.every(({ host }) => host === undefined || isLoopback(host))) return [];
  const read = (path: string): string => {
    try {
      return readSystem(path);
    } catch {
      return '';
    }
  };
  const hosts = [...gateways(read('/proc/net/route')), ...resolvers(read('/etc/resolv.conf'))];
  const near = [...new Set(hosts)].filter((host) => !isLoopback(host));
  return near.slice(0, MOST_DERIVED).map((host) => ({ host, port: PORT }));
}

/** Linux: the routes to 0.0.0.0, with the gateway as a little-endian number in hex. */
export function gateways(table: string): string[] {
  return table.split('\n').flatMap((line) => {
    const [, destination, gateway = ''] = line.trim().split(/\s+/);
    if (destination !== '00000000' || !/^[0-9A-F]{8}$/i.test(gateway) || gateway === '00000000') return [];
    return [
      gateway
        .match(/../g)!
        .toReversed()
        .map((byte) => Number.parseInt(byte, 16))
        .join('.'),
    ];
  });
}

export function resolvers(file: string): string[] {
  return [...file.matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap(([, address = '']) =>
    isIP(address) === 0 ? [] : [address],
  );
}
