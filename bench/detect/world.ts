import type { EvidenceClass } from '../../src/core/outcome.ts';
import { randomFrom } from '../../test/support/random.ts';

/**
 * A target, its host and the way to it, in simulated time: outages, stalls, lost packets, and one fault. Everything is
 * in ms and drawn from seeds: the same world in every run.
 */
export interface World {
  /** Share of packets that are lost, in each direction. */
  readonly loss: number;
  /** When the server that is stalled at `t` goes on; `t` itself where it is not stalled. */
  stallEnd(t: number): number;
  /** Whether the way to the target is cut at `t`. */
  isCut(t: number): boolean;
  /** Whether it is cut on our side, so that every target is out of reach. */
  isCutHere(t: number): boolean;
}

export interface Noise {
  readonly loss?: number;
  /** Outages of the path: how many an hour, of which mean length. */
  readonly bursts?: { readonly perHour: number; readonly meanMs: number };
  /** Stalls of the server, such as garbage collections. */
  readonly stalls?: { readonly perHour: number; readonly meanMs: number };
}

/** crash: refused; error: a wrong answer; hang: connected and silent; dead host: no connection. */
export type FaultKind = 'crash' | 'error' | 'hang' | 'dead host';

export interface Fault {
  readonly kind: FaultKind;
  readonly at: number;
}

export interface Answer {
  readonly said: 'ok' | EvidenceClass;
  readonly end: number;
}

export type Random = () => number;

const HOUR_MS = 3_600_000;
/** So many of the outages are on our side of the path. */
const LOCAL_SHARE = 0.8;
/** Linux: when a SYN, and data, are sent again, ms after the first time. */
const SYN_SENDS = [0, 1_000, 3_000, 7_000, 15_000];
const DATA_SENDS = [0, 200, 600, 1_400, 3_000, 6_200, 12_600];
const RTT_MS = 1;
const MEDIAN_LATENCY_MS = 20;

export function createWorld({ loss = 0.001, bursts, stalls }: Noise, hours: number, seed: number): World {
  const random = randomFrom(seed);
  const stalled = spans(random, hours, stalls);
  const here = spans(random, hours, bursts && { ...bursts, perHour: bursts.perHour * LOCAL_SHARE });
  const there = spans(random, hours, bursts && { ...bursts, perHour: bursts.perHour * (1 - LOCAL_SHARE) });
  return {
    loss,
    stallEnd: (t) => stalled.endOf(t) ?? t,
    isCut: (t) => here.endOf(t) !== undefined || there.endOf(t) !== undefined,
    isCutHere: (t) => here.endOf(t) !== undefined,
  };
}

/** Spans of time that come as a Poisson process and last exponentially. */
function spans(
  random: Random,
  hours: number,
  how: { readonly perHour: number; readonly meanMs: number } | undefined,
): { endOf(t: number): number | undefined } {
  const starts: number[] = [];
  const ends: number[] = [];
  const { perHour, meanMs } = how ?? { perHour: 0, meanMs: 0 };
  const pause = (): number => exponential(random, HOUR_MS / perHour);
  for (let t = pause(); t <= hours * HOUR_MS; t += pause()) {
    starts.push(t);
    t += exponential(random, meanMs);
    ends.push(t);
  }
  return {
    /** The end of the span that `t` lies in. */
    endOf(t) {
      let low = 0;
      let high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (ends[middle]! <= t) low = middle + 1;
        else high = middle;
      }
      return low < ends.length && starts[low]! <= t ? ends[low] : undefined;
    },
  };
}

/** One attempt over TCP: the handshake, the question and the answer, with the retransmissions of both. */
export function attempt(
  world: World,
  random: Random,
  start: number,
  timeoutMs: number,
  fault?: Fault,
): Answer {
  const isLost = roundTripLoss(world, random);
  const isDead = (t: number): boolean => fault !== undefined && t >= fault.at;
  const silence = (said: EvidenceClass): Answer => ({ said, end: start + timeoutMs });

  let connected: number | undefined;
  for (const delay of SYN_SENDS) {
    if (delay >= timeoutMs) break;
    const at = start + delay;
    if (world.isCut(at) || isLost()) continue;
    if (isDead(at) && fault?.kind === 'dead host') continue;
    if (isDead(at) && fault?.kind === 'crash') return { said: 'explicit', end: at + RTT_MS };
    connected = at + RTT_MS;
    break;
  }
  if (connected === undefined) return silence('path');

  let received: number | undefined;
  for (const delay of DATA_SENDS) {
    const at = connected + delay;
    if (at - start >= timeoutMs) break;
    if (world.isCut(at) || isLost() || (isDead(at) && fault?.kind === 'dead host')) continue;
    received = at;
    break;
  }
  if (received === undefined) return silence('silent');

  const latency = MEDIAN_LATENCY_MS * Math.exp(0.8 * normal(random));
  if (isDead(received)) {
    if (fault?.kind === 'crash') return { said: 'explicit', end: received + RTT_MS };
    if (fault?.kind === 'error') return { said: 'explicit', end: received + latency };
    return silence('silent');
  }
  const done = Math.max(world.stallEnd(received), received) + latency;
  if (isDead(done) && fault?.kind !== 'error') {
    return fault?.kind === 'crash' ? { said: 'explicit', end: fault.at } : silence('silent');
  }
  return done - start <= timeoutMs ? { said: 'ok', end: done } : silence('silent');
}

/** Whether something on our own side of the path answers a connect in time. */
export function anchorAnswers(world: World, random: Random, start: number, timeoutMs: number): boolean {
  const isLost = roundTripLoss(world, random);
  return SYN_SENDS.some((delay) => delay < timeoutMs && !world.isCutHere(start + delay) && !isLost());
}

function roundTripLoss({ loss }: World, random: Random): () => boolean {
  const lost = 1 - (1 - loss) ** 2;
  return () => random() < lost;
}

function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random());
}

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
