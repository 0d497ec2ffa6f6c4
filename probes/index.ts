import type { ProbeRegistry } from '../src/core/probe.ts';
import { exec } from './exec.ts';
import { grpc } from './grpc/probe.ts';
import { http } from './http/probe.ts';
import { tcp } from './tcp/probe.ts';

/** Every kind of probe, by the key that it has in the YAML. */
export const probes = { http, tcp, grpc, exec } satisfies ProbeRegistry;
