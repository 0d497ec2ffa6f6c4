import type { Exit } from '../../src/process/command.ts';

/** What a run of `ping` came to. `trouble`: it could not do what it was asked. */
export type PingReport =
  | {
      readonly kind: 'answers';
      /** Percent, whole. */
      readonly loss: number;
      readonly rttMs: number;
      readonly rttMaxMs: number;
      readonly ttl: number | undefined;
    }
  | { readonly kind: 'unreachable'; readonly said: string }
  | { readonly kind: 'nothing' | 'trouble' };

const COUNTS = /^(\d+) packets transmitted, (\d+) (?:packets )?received/m;
/** iputils has the deviation as well. */
const TIMES = /min\/avg\/max(?:\/\w+)? = ([\d.]+)\/([\d.]+)\/([\d.]+)/;
const TTL = / (?:ttl|hlim)=(\d+)/;
/** A router or the host itself says that it cannot be; from iputils only. */
const ICMP_ERROR =
  /^From \S+:? (?:icmp_seq=\d+ )?(Destination .*|Time to live exceeded.*|Packet filtered.*|No route.*|Address unreachable.*|.*prohibited.*)$/im;
const NO_WAY = /(?:network|host|address) (?:is )?(?:unreachable|down)|no route to host/i;

/** The output of iputils' ping, or of busybox'. */
export function readPing({ stdout, stderr }: Exit): PingReport {
  const counts = COUNTS.exec(stdout);
  const times = TIMES.exec(stdout);
  if (counts && times) {
    const [sent, received] = [Number(counts[1]), Number(counts[2])];
    const ttl = TTL.exec(stdout)?.[1];
    return {
      kind: 'answers',
      // Duplicates may make it more than was sent.
      loss: Math.max(0, Math.round(100 - (100 * received) / Math.max(1, sent))),
      rttMs: Number(times[2]),
      rttMaxMs: Number(times[3]),
      ttl: ttl === undefined ? undefined : Number(ttl),
    };
  }
  const said = ICMP_ERROR.exec(stdout)?.[1] ?? NO_WAY.exec(stderr)?.[0];
  if (said !== undefined) return { kind: 'unreachable', said: said.trim() };
  return { kind: counts && Number(counts[2]) === 0 && stderr.trim() === '' ? 'nothing' : 'trouble' };
}
