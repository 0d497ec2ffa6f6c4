import { hostname, networkInterfaces } from 'node:os';
import { isLoopback } from '../core/address.ts';

/**
 * Whether no network is needed to reach a host, as the interfaces are now: loopback, an address or the name of our own, or
 * nobody who is dialled at all. Names are not looked up.
 */
export function thisHost(): (host: string | undefined) => boolean {
  const near = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address }) => address) ?? []);
  const own = new Set([hostname(), ...near]);
  return (host) => host === undefined || isLoopback(host) || own.has(host);
}
