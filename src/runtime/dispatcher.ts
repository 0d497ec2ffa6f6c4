import { backoff } from '../core/backoff.ts';
import type { Clock } from '../core/clock.ts';
import type { News, NewsSubject } from '../core/news.ts';
import {
  OPENING_OF,
  type HookEvent,
  type HookEventName,
  type HookRegistry,
  type HookReport,
  type HookResult,
  type HookSpec,
} from '../core/hook.ts';
import type { Observer } from '../core/observer.ts';
import type { Redact } from '../core/redact.ts';
import { formatDuration } from '../core/units.ts';
import { hookEvent } from './hook-event.ts';

/**
 * Runs actions, beside the probes and never in their way. A lane is a queue in order: a target's actions share one, so
 * that they never overlap. Lanes do not wait for each other, except for a place: each hook runs at most `perHook` times at
 * once, so one that hangs holds up only itself, and one that waits for its next try holds up nobody.
 */
export interface Dispatcher {
  dispatch(subject: NewsSubject, news: News): void;
  /** New definitions for what is dispatched from now on; what is queued keeps those that it was queued with. */
  configure(hooks: ReadonlyMap<string, HookSpec>, perHook: number): void;
  /** Takes nothing more, waits up to `graceMs`, then aborts what runs and gives up what waits. */
  stop(graceMs: number): Promise<void>;
}

/** Of a kind that sends, where nothing is written: an action that comes hours late helps nobody. */
const ACTION_RETRIES = 3;

const MAX_QUEUED = 10_000;

export interface DispatcherOptions {
  readonly registry: HookRegistry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: Required<Observer>;
  readonly redact: Redact;
}

interface Delivery {
  readonly lane: string;
  readonly spec: HookSpec;
  readonly event: HookEvent;
  /** Whether the hook will hear of the end of it, too. */
  readonly hearsEnd: boolean;
  /** An action whose target has come up before it ran: it is not run, or not tried again. */
  obsolete: boolean;
  tries: number;
  said: string;
  /** Monotonic ms of the first try. */
  startedAt: number;
}

export function createDispatcher({
  registry,
  clock,
  random,
  observer,
  redact,
}: DispatcherOptions): Dispatcher {
  let hooks: ReadonlyMap<string, HookSpec> = new Map();
  let perHook = 1;
  let stopping = false;
  let queued = 0;
  const stop = new AbortController();
  /** Deliveries by lane, the first one under way or waiting for a place of its hook. */
  const lanes = new Map<string, Delivery[]>();
  /** Places by hook: how many run, and the heads of lanes that wait. */
  const places = new Map<string, { running: number; waiting: Delivery[] }>();
  /** Lanes whose opening was taken: their closing is taken however full the queue. */
  const openings = new Set<string>();
  let idle: (() => void) | undefined;
  function accept(delivery: Delivery): boolean {
    const { event } = delivery.event;
    const key = (opening: HookEventName): string => `${delivery.lane}\n${delivery.spec.name}\n${opening}`;
    const opening = OPENING_OF[event];
    if (opening && openings.delete(key(opening))) return true;
    if (queued >= MAX_QUEUED) return false;
    if (!opening && delivery.hearsEnd) openings.add(key(event));
    return true;
  }

  function enqueue(delivery: Delivery): void {
    if (stopping || !accept(delivery)) {
      const why = stopping ? 'the agent is stopping' : `${queued} deliveries are waiting already`;
      report(delivery, { ok: false, tries: 0, ms: 0, detail: `not run: ${why}` });
      return;
    }
    queued++;
    const lane = lanes.get(delivery.lane);
    if (lane) lane.push(delivery);
    else {
      lanes.set(delivery.lane, [delivery]);
      seat(delivery);
    }
  }

  /** Tries once there is a place for it; between tries it holds none. */
  function seat(delivery: Delivery): void {
    const { name } = delivery.spec;
    const place = places.get(name) ?? { running: 0, waiting: [] };
    places.set(name, place);
    place.waiting.push(delivery);
    fill(name);
  }

  function fill(name: string): void {
    const place = places.get(name);
    if (!place) return;
    while (place.running < perHook) {
      const head = place.waiting.shift();
      if (!head) break;
      place.running++;
      void tryOnce(head).then((again) => {
        place.running--;
        fill(name);
        if (again) void pause(backoff(head.tries, random)).then(() => seat(head));
        else advance(head);
      });
    }
    if (place.running === 0) places.delete(name);
  }

  function advance(done: Delivery): void {
    queued--;
    const lane = lanes.get(done.lane)!;
    lane.shift();
    const [next] = lane;
    if (next) seat(next);
    else lanes.delete(done.lane);
    if (queued === 0) idle?.();
  }

  /** Whether it has to be tried again. Never rejects. */
  async function tryOnce(delivery: Delivery): Promise<boolean> {
    const { spec, event } = delivery;
    if (stop.signal.aborted || delivery.obsolete) {
      const why = delivery.obsolete ? 'the target is up again' : 'the agent is stopping';
      const detail = delivery.tries === 0 ? `not run: ${why}` : `${delivery.said}; not tried again: ${why}`;
      finish(delivery, { ok: false, detail });
      return false;
    }
    delivery.tries++;
    if (delivery.tries === 1) {
      delivery.startedAt = clock.now();
      observer.onHookStart({ target: event.target, hook: spec.name, kind: spec.kind, event });
    }
    const result = await fireOnce(delivery);
    delivery.said = result.detail;
    if (!result.ok && result.retry && delivery.tries <= (spec.retries ?? ACTION_RETRIES)) return true;
    finish(delivery, result);
    return false;
  }

  function finish(delivery: Delivery, { ok, detail }: Pick<HookResult, 'ok' | 'detail'>): void {
    const ms = delivery.tries === 0 ? 0 : clock.now() - delivery.startedAt;
    report(delivery, { ok, tries: delivery.tries, ms, detail });
  }

  /** One try, ended at the hook's timeout or with the agent. Never rejects. */
  async function fireOnce({ spec, event }: Delivery): Promise<HookResult> {
    const timeout = new AbortController();
    const cancel = clock.schedule(clock.now() + spec.timeoutMs, () => timeout.abort());
    const signal = AbortSignal.any([timeout.signal, stop.signal]);
    let result: HookResult;
    try {
      result = await registry[spec.kind]!.fire(spec.settings, event, { signal, clock });
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      result = { ok: false, detail, retry: true };
    }
    cancel();
    if (result.ok) return result;
    if (stop.signal.aborted) return { ok: false, detail: 'aborted: the agent is stopping', retry: false };
    if (timeout.signal.aborted) {
      return { ok: false, detail: `no end within ${formatDuration(spec.timeoutMs)}`, retry: true };
    }
    return result;
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = clock.schedule(clock.now() + ms, () => {
        stop.signal.removeEventListener('abort', onStop);
        resolve();
      });
      function onStop(): void {
        cancel();
        resolve();
      }
      stop.signal.addEventListener('abort', onStop, { once: true });
    });
  }

  function report({ spec, event }: Delivery, how: Pick<HookReport, 'ok' | 'tries' | 'ms' | 'detail'>): void {
    observer.onHook({
      target: event.target,
      hook: spec.name,
      kind: spec.kind,
      event,
      ...how,
      detail: redact(how.detail),
    });
  }

  return {
    configure(nextHooks, nextPerHook) {
      hooks = nextHooks;
      perHook = nextPerHook;
      for (const name of places.keys()) fill(name);
    },
    dispatch(subject, news) {
      const event = hookEvent(subject, news);
      const send = (hook: string, lane: string, usual: readonly HookEventName[]): void => {
        const spec = hooks.get(hook);
        const events = spec?.on ?? usual;
        if (spec && events.includes(event.event)) {
          enqueue({
            lane,
            spec,
            event,
            hearsEnd: events.some((name) => OPENING_OF[name] === event.event),
            obsolete: false,
            tries: 0,
            said: '',
            startedAt: 0,
          });
        }
      };
      const actions = `recover ${subject.name}`;
      if (event.event === 'up') for (const delivery of lanes.get(actions) ?? []) delivery.obsolete = true;
      for (const hook of subject.recover) send(hook, actions, ['down']);
    },
    async stop(graceMs) {
      stopping = true;
      if (queued === 0) return;
      const drained = new Promise<void>((resolve) => {
        idle = resolve;
      });
      const cancel = clock.schedule(clock.now() + graceMs, () => stop.abort());
      await drained;
      cancel();
    },
  };
}
