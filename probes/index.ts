import type { ProbeRegistry } from '../src/core/probe.ts';
import { dns } from './dns/probe.ts';
import { exec } from './exec/probe.ts';
import { grpc } from './grpc/probe.ts';
import { heartbeatProbe } from './heartbeat.ts';
import { http } from './http/probe.ts';
import { icmp } from './icmp/probe.ts';
import { mysql } from './mysql/probe.ts';
import { postgres } from './postgres/probe.ts';
import { process } from './process/probe.ts';
import { redis } from './redis/probe.ts';
import { script } from './script/probe.ts';
import { tcp } from './tcp/probe.ts';
import { udp } from './udp.ts';
import { websocket } from './websocket/probe.ts';

/** Nobody listens: whoever runs the agent puts in an inbox that beats come to. */
const heartbeat = heartbeatProbe({ look: () => undefined });

/** Every kind of probe, by the key that it has in the YAML. */
export const probes = {
  http,
  tcp,
  grpc,
  websocket,
  dns,
  icmp,
  udp,
  redis,
  postgres,
  mysql,
  process,
  exec,
  script,
  heartbeat,
} satisfies ProbeRegistry;
