import type { Facts } from '../../src/core/outcome.ts';

/** Fields of INFO that say what a node is, by the name that the fact has. */
const FIELDS: Readonly<Record<string, string>> = {
  redis_version: 'version',
  redis_mode: 'mode',
  uptime_in_seconds: 'uptime_s',
  role: 'role',
  connected_slaves: 'connected_replicas',
  master_host: 'master_host',
  master_link_status: 'master_link',
  master_last_io_seconds_ago: 'master_last_io_s',
};

const LONGEST_VALUE = 200;

export function factsOf(info: string): Facts {
  const facts: Record<string, string | number> = {};
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = FIELDS[line.slice(0, colon)];
    if (colon === -1 || name === undefined) continue;
    const value = line.slice(colon + 1).slice(0, LONGEST_VALUE);
    facts[name] = /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  }
  return facts;
}
