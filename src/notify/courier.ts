import type { Clock } from '../core/clock.ts';
import type { HookRegistry, HookResult, HookRetry, HookSpec } from '../core/hook.ts';
import { pauseBeforeRetry } from '../core/retry.ts';
import { formatDuration } from '../core/units.ts';
import { type Delivery, type End, type Message, eventOf, messageOf } from './delivery.ts';

/**
 * Carries messages to hooks, in lanes: what is told of one target to one hook stays in order, and lanes do not wait for
 * each other. A message of many targets is in all of their lanes. Each hook has so many places: one that hangs holds up
 * only itself, and what waits for its next try holds up nobody but its own lanes.
 */
export interface Courier {
  send(deliveries: readonly [Delivery, ...Delivery[]]): void;
  /** Takes back what is not under way at this moment. */
  withdraw(delivery: Delivery): boolean;
  /** So many of each hook at once. */
  resize(perHook: number): void;
  /**
   * Lets what can go now end within `graceMs`, then aborts it. What waits for its next try is waited for only if `patient`.
   * Resolves to what is left, with what the last try came to.
   */
  stop(graceMs: number, patient: boolean): Promise<Left[]>;
}

export interface Left {
  readonly delivery: Delivery;
  readonly tries: number;
  readonly said: string;
}

export interface CourierOptions {
  readonly registry: HookRegistry;
  readonly clock: Clock;
  readonly random: () => number;
  /** The newest definition: who mends an address sees that go out which waits. */
  readonly specOf: (hook: string) => HookSpec | undefined;
  /** Resolves when what is sent would be sent again after a crash, or cannot be. */
  readonly kept: () => Promise<void>;
  readonly onStart: (delivery: Delivery) => void;
  /** Of a message that will be tried again: its first delivery, and how many there are. */
  readonly onRetry: (delivery: Delivery, wait: Wait) => void;
  readonly onEnd: (delivery: Delivery, end: End) => void;
}

export type Wait = Pick<HookRetry, 'tries' | 'detail' | 'pauseMs' | 'deliveries'>;

export function createCourier(options: CourierOptions): Courier {
  const { registry, clock, random, specOf, kept, onStart, onRetry, onEnd } = options;
  let perHook = 1;
  let stopping = false;
  let patient = true;
  const abort = new AbortController();
  const lanes = new Map<string, Message[]>();
  const messages = new Map<Delivery, Message>();
  /** By hook: how many run, and what waits for a place. */
  const places = new Map<string, { running: number; readonly ready: Set<Message> }>();
  let busy = 0;
  let idle: (() => void) | undefined;

  function isFirst(message: Message): boolean {
    return message.lanes.every((lane) => lanes.get(lane)?.[0] === message);
  }

  function placeOf(hook: string): { running: number; readonly ready: Set<Message> } {
    const place = places.get(hook) ?? { running: 0, ready: new Set() };
    places.set(hook, place);
    return place;
  }

  function enter(message: Message, phase: Message['phase']): void {
    const wasBusy = isBusy(message.phase);
    message.phase = phase;
    busy += Number(isBusy(phase)) - Number(wasBusy);
    if (busy === 0) idle?.();
  }

  /** Whether the end has to wait for it. */
  function isBusy(phase: Message['phase']): boolean {
    return phase === 'ready' || phase === 'running' || (phase === 'paused' && patient);
  }

  function seat(message: Message): void {
    if (abort.signal.aborted) return enter(message, 'blocked');
    enter(message, 'ready');
    placeOf(message.hook).ready.add(message);
    fill(message.hook);
  }

  function fill(hook: string): void {
    const place = placeOf(hook);
    for (const message of place.ready) {
      if (place.running >= perHook) return;
      place.ready.delete(message);
      place.running++;
      enter(message, 'running');
      void tryOnce(message).then((pause) => {
        place.running--;
        if (pause === null) leave(message);
        else if (pause !== 'stay') rest(message, pause);
        else enter(message, 'blocked');
        fill(hook);
      });
    }
    if (place.running === 0) places.delete(hook);
  }

  function rest(message: Message, ms: number): void {
    enter(message, 'paused');
    if (stopping && !patient) return;
    const cancel = clock.schedule(clock.now() + ms, () => seat(message));
    message.endPause = cancel;
  }

  /** Makes way for what comes behind it. */
  function leave(message: Message): void {
    message.endPause();
    for (const delivery of message.deliveries) messages.delete(delivery);
    const next = new Set<Message>();
    for (const lane of message.lanes) {
      const left = lanes.get(lane)!.filter((other) => other !== message);
      if (left.length === 0) lanes.delete(lane);
      else {
        lanes.set(lane, left);
        next.add(left[0]!);
      }
    }
    for (const first of next) if (first.phase === 'blocked' && isFirst(first)) seat(first);
    // At last, so that the end does not come between the two.
    enter(message, 'blocked');
  }

  /** The pause before the next try, null where it is over, `stay` where the end of the agent has cut it off. Never rejects. */
  async function tryOnce(message: Message): Promise<number | null | 'stay'> {
    const spec = specOf(message.hook);
    if (!spec) {
      finish(message, { ok: false, detail: 'not delivered: the hook is gone from the configuration' });
      return null;
    }
    if (message.tries === 0) await kept();
    if (abort.signal.aborted) return 'stay';
    message.tries++;
    if (message.tries === 1) {
      message.startedAt = clock.now();
      for (const delivery of message.deliveries) onStart(delivery);
    }
    const result = await fireOnce(spec, message);
    if (result === undefined) return 'stay';
    message.said = result.detail;
    const leftMs = Math.max(...message.deliveries.map(({ giveUpAt }) => giveUpAt)) - clock.now();
    const pause =
      result.ok || !result.retry
        ? null
        : pauseBeforeRetry(
            { tries: message.tries, retries: spec.retries, leftMs, retryAfterMs: result.retryAfterMs },
            random,
          );
    if (pause === null) finish(message, result);
    else {
      const { deliveries, tries, said } = message;
      onRetry(deliveries[0]!, { tries, detail: said, pauseMs: pause, deliveries: deliveries.length });
    }
    return pause;
  }

  function finish(message: Message, { ok, detail }: Pick<HookResult, 'ok' | 'detail'>): void {
    const ms = message.tries === 0 ? 0 : clock.now() - message.startedAt;
    for (const delivery of message.deliveries) onEnd(delivery, { ok, detail, tries: message.tries, ms });
  }

  /** One try, ended at the hook's timeout, or, without a result, with the agent. Never rejects. */
  async function fireOnce(spec: HookSpec, message: Message): Promise<HookResult | undefined> {
    const timeout = new AbortController();
    const cancel = clock.schedule(clock.now() + spec.timeoutMs, () => timeout.abort());
    const signal = AbortSignal.any([timeout.signal, abort.signal]);
    let result: HookResult;
    try {
      result = await registry[spec.kind]!.fire(spec.settings, eventOf(message), { signal, clock });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      result = { ok: false, detail, retry: true };
    }
    cancel();
    if (result.ok) return result;
    if (abort.signal.aborted) return undefined;
    if (timeout.signal.aborted) {
      return { ok: false, detail: `no end within ${formatDuration(spec.timeoutMs)}`, retry: true };
    }
    return result;
  }

  return {
    send(deliveries) {
      const message = messageOf(deliveries);
      for (const delivery of deliveries) messages.set(delivery, message);
      for (const lane of message.lanes) {
        const queue = lanes.get(lane);
        if (queue) queue.push(message);
        else lanes.set(lane, [message]);
      }
      if (isFirst(message)) seat(message);
    },
    withdraw(delivery) {
      const message = messages.get(delivery);
      if (!message || message.phase === 'running') return false;
      messages.delete(delivery);
      if (message.deliveries.length > 1) {
        // It keeps its lanes: to be in one too many holds up nothing for long.
        message.deliveries.splice(message.deliveries.indexOf(delivery), 1);
        return true;
      }
      places.get(message.hook)?.ready.delete(message);
      leave(message);
      return true;
    },
    resize(next) {
      perHook = next;
      for (const hook of places.keys()) fill(hook);
    },
    async stop(graceMs, waits) {
      stopping = true;
      const paused = [...new Set(messages.values())].filter(({ phase }) => phase === 'paused');
      if (!waits) {
        patient = false;
        busy -= paused.length;
        for (const message of paused) message.endPause();
      }
      if (busy > 0) {
        const drained = new Promise<void>((resolve) => {
          idle = resolve;
        });
        const cancel = clock.schedule(clock.now() + graceMs, () => {
          abort.abort();
          for (const message of new Set(messages.values())) {
            message.endPause();
            if (message.phase === 'running') continue;
            places.get(message.hook)?.ready.delete(message);
            enter(message, 'blocked');
          }
        });
        await drained;
        cancel();
      }
      return [...messages].map(([delivery, { tries, said }]) => ({ delivery, tries, said }));
    },
  };
}
