import { probes } from '../../probes/index.ts';
import { reasonOf } from '../../src/core/outcome.ts';
import type { Probe } from '../../src/core/probe.ts';
import { startAttempt } from '../../src/runtime/attempt.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { aTarget } from '../../test/support/targets.ts';
import type { Behaviour, Transport } from '../../test/support/zoo/behaviour.ts';

const LONG_MS = 20_000;
const SHORT_MS = 100;
const AT_ONCE = 64;
/** Those that only wait cost nothing meanwhile. */
const WAITING_AT_ONCE = 400;
/** Requests of megabytes are in memory once for each attempt. */
const LARGE_AT_ONCE = 4;
const MOST_LARGE = 200;
const LARGE = 1_000_000;

const PROBES: Readonly<Record<Transport, Probe>> = {
  tcp: probes.tcp,
  tls: probes.tcp,
  http: probes.http,
  https: probes.http,
  grpc: probes.grpc,
  grpcs: probes.grpc,
};

export interface Ask {
  /** No more than so many make sense. */
  readonly most: number;
  /** Makes so many attempts; how many had which reason, or which status where that needs none. */
  times(count: number): Promise<ReadonlyMap<string, number>>;
}

export function createAttempts(): { at(row: Behaviour, settings: unknown): Ask } {
  const clock = createSystemClock();
  return {
    at({ transport, expected }, written) {
      const probe = PROBES[transport];
      const waits = expected.by === 'deadline';
      const isLarge = JSON.stringify(written).length > LARGE;
      const atOnce = isLarge ? LARGE_AT_ONCE : waits ? WAITING_AT_ONCE : AT_ONCE;
      const target = aTarget({
        probe: { kind: probe.kind, settings: probe.settings.parse(written) },
        rules: { timeoutMs: waits ? SHORT_MS : LONG_MS },
      });

      async function once(number: number): Promise<string> {
        const running = startAttempt({
          target,
          probe,
          number,
          clock,
          redact: (text) => text,
          onTrouble: () => {},
        });
        const attempt = await running.settled;
        await running.ended;
        return attempt ? (reasonOf(attempt.outcome) ?? attempt.outcome.status) : 'called off';
      }

      return {
        most: isLarge ? MOST_LARGE : Infinity,
        async times(count) {
          let started = 0;
          const said = new Map<string, number>();
          async function lane(): Promise<void> {
            while (started < count) {
              const how = await once(++started);
              said.set(how, (said.get(how) ?? 0) + 1);
            }
          }
          await Promise.all(Array.from({ length: Math.min(atOnce, count) }, lane));
          return said;
        },
      };
    },
  };
}
