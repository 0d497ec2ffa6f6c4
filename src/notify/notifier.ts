import type { Clock } from '../core/clock.ts';
import {
  type HookEvent,
  type HookEventName,
  type HookRegistry,
  type HookSpec,
  OPENING_OF,
} from '../core/hook.ts';
import type { Observer } from '../core/observer.ts';
import type { Redact } from '../core/redact.ts';
import type { Subject } from '../core/pause.ts';
import { createCourier } from './courier.ts';
import { type Delivery, type End, type Specs, keyOf, subjectKey, subjectOf } from './delivery.ts';
import { createGatherer } from './gatherer.ts';
import { type Opening, createOpenings } from './openings.ts';
import { createReminders } from './reminders.ts';
import { createSweep } from './sweep.ts';
import { MOST_WAITING, createWaiting } from './waiting.ts';
import { type DeliveryStore, type Kept, createOutbox, rowOf } from './outbox.ts';
import { abandonedEvent, overEvent } from './follow-ups.ts';

/**
 * Tells people and their tools, beside the probes and never in their way: what a target has to say goes to its hooks, is
 * kept until it is delivered, and is told at least once, with the same id. Whatever was opened is closed.
 */
export interface Notifier {
  tell(hooks: readonly string[], event: HookEvent): void;
  /** The configuration, at the start and at each reload. What waits goes by the newest definition of its hook. */
  configure(next: Configuration): void;
  /** Waits up to `graceMs` for what can be delivered now. The rest is delivered after the next start, where it was kept. */
  stop(graceMs: number): Promise<void>;
}

export interface Configuration {
  readonly hooks: Specs;
  readonly perHook: number;
  /** Of whom something may be told. */
  readonly subjects: Iterable<Subject>;
}

export interface NotifierOptions {
  readonly registry: HookRegistry;
  readonly clock: Clock;
  readonly random: () => number;
  readonly observer: Pick<Required<Observer>, 'onHook' | 'onHookRetry' | 'onHookStart'>;
  readonly redact: Redact;
  readonly store: DeliveryStore;
  /** Why nobody is to be reminded of it now: it is paused, say. */
  readonly hushedBecause: (subject: Subject) => string | null;
  /** What this event opened is over, as far as is known. */
  readonly isOver: (event: HookEvent) => boolean;
}

export function createNotifier(options: NotifierOptions): Notifier {
  const { registry, clock, random, observer, redact, store, hushedBecause, isOver } = options;
  let hooks: Specs = new Map();
  /** Also of hooks that are gone by now. */
  const kinds = new Map<string, string>();
  let stopping = false;
  let restored = false;
  const outbox = createOutbox(store, clock);
  const openings = createOpenings();
  const courier = createCourier({
    registry,
    clock,
    random,
    specOf: (hook) => hooks.get(hook),
    kept: outbox.written,
    onStart: ({ hook, event, quiet }) => {
      if (!quiet) observer.onHookStart({ target: event.target, hook, kind: kinds.get(hook)!, event });
    },
    onRetry({ hook, event }, { detail, ...wait }) {
      const about = { target: event.target, hook, kind: kinds.get(hook)!, event };
      observer.onHookRetry({ ...about, ...wait, detail: redact(detail) });
    },
    onEnd,
  });
  const gatherer = createGatherer({ clock, send: courier.send });
  const waiting = createWaiting(gatherer, courier);
  const reminders = createReminders({
    clock,
    specOf: (hook) => hooks.get(hook),
    isHushed: (event) => hushedBecause(subjectOf(event)) !== null,
    hasRoom: () => !waiting.isFull(),
    onDue(delivery) {
      // So that a restart does not bring the next one early.
      if (!delivery.quiet) keepTold(delivery.repeats);
      waiting.add(hooks.get(delivery.hook)!, delivery);
    },
  });

  const sweep = createSweep({
    clock,
    openings,
    isOver,
    onOver: ({ hook, event }) => tell([hook], overEvent(event, clock.wallTime())),
  });

  function hears({ on }: HookSpec, name: HookEventName): boolean {
    return on === null || on.includes(name === 'abandoned' ? 'up' : name === 'gave_up' ? 'down' : name);
  }

  function tell(names: Iterable<string>, event: HookEvent): void {
    for (const hook of names) {
      const spec = hooks.get(hook);
      const opening = OPENING_OF[event.event];
      const closed = opening && openings.close(hook, keyOf(event), opening);
      if (closed?.state === 'told') outbox.forget(closed.row);
      if (closed?.reminder) waiting.withdraw(closed.reminder);
      if (!spec || !hears(spec, event.event)) continue;
      const earlier = openings.before(hook, event);
      if (earlier) tell([hook], overEvent(earlier.event, clock.wallTime()));
      if (closed?.state === 'dropped') refuse(hook, event, 'nobody was told of the beginning');
      else accept(spec, closed ? { ...event, since: closed.event.since } : event, closed !== undefined);
    }
  }

  function accept(spec: HookSpec, event: HookEvent, mustBe: boolean): void {
    const hook = spec.name;
    const row = rowOf(hook, event);
    const at = clock.wallTime();
    if (stopping && !outbox.isDurable()) return refuse(hook, event, 'the agent is stopping');
    if (waiting.isFull() && !mustBe && !makeRoom()) {
      return refuse(hook, event, `${MOST_WAITING} deliveries are waiting already`);
    }
    const kept: Kept = { hook, event, state: 'waiting', at, toldAt: at };
    outbox.keep(row, kept);
    if (stopping) return refuse(hook, event, LATER);
    open(row, kept, clock.now());
    waiting.add(spec, { hook, event, row, quiet: false, giveUpAt: clock.now() + spec.retryForMs });
  }

  function open(row: string, { hook, event, state }: Kept, toldAt: number): void {
    // What is said of an incident that is open opens nothing.
    if (OPENING_OF[event.event] !== undefined || event.event === 'gave_up') return;
    const noReminder = { reminder: undefined, cancelReminder: () => {} };
    const opening: Opening = { hook, event, row, state, toldAt, ...noReminder };
    openings.add(opening);
    reminders.plan(opening);
  }

  /** Makes room by giving up the oldest beginning that waits. */
  function makeRoom(): boolean {
    const dropped = waiting.dropOldest();
    if (!dropped) return false;
    const { hook, event, row } = dropped;
    if (row === null) return true;
    outbox.forget(row);
    const opening = openings.of(dropped);
    if (opening) opening.state = 'dropped';
    refuse(hook, event, `${MOST_WAITING} deliveries are waiting, and it was the oldest`);
    return true;
  }

  function onEnd(delivery: Delivery, end: End): void {
    const { hook, event, row, quiet, repeats } = delivery;
    waiting.end(delivery);
    const opening = openings.of({ hook, event: repeats?.event ?? event });
    if (opening && (!repeats || end.ok)) {
      opening.state = 'told';
      // Of its end: what went out together is recalled together.
      opening.toldAt = clock.now();
      if (!quiet) keepTold(opening);
      reminders.plan(opening);
    } else if (row !== null) outbox.forget(row);
    if (!quiet || !end.ok) report(hook, event, end);
  }

  function keepTold({ hook, event, row }: Opening): void {
    const at = Date.parse(event.at);
    outbox.keep(row, { hook, event, state: 'told', at, toldAt: clock.wallTime() });
  }

  function restore(): void {
    for (const { row, kept } of outbox.restore()) {
      const { hook, event, state } = kept;
      const spec = hooks.get(hook);
      const age = (wallMs: number): number => Math.max(0, clock.wallTime() - wallMs);
      if (!spec) {
        outbox.forget(row);
        if (state === 'waiting') refuse(hook, event, 'the hook is gone from the configuration');
        continue;
      }
      const closes = OPENING_OF[event.event];
      if (closes) openings.close(hook, keyOf(event), closes);
      else open(row, kept, clock.now() - age(kept.toldAt));
      if (state === 'told') continue;
      const giveUpAt = clock.now() + spec.retryForMs - age(kept.at);
      waiting.add(spec, { hook, event, row, quiet: false, giveUpAt });
    }
  }

  /** What nobody will ever see up again is closed, too. */
  function closeAbandoned(known: ReadonlySet<string>): void {
    for (const opening of openings.all()) {
      const { hook, event, row } = opening;
      const subject = keyOf(event);
      if (known.has(subject) && hooks.has(hook)) reminders.plan(opening);
      else if (event.event === 'down' && hooks.has(hook))
        tell([hook], abandonedEvent(event, clock.wallTime()));
      else {
        openings.close(hook, subject, event.event);
        if (opening.state === 'told') outbox.forget(row);
      }
    }
  }

  function refuse(hook: string, event: HookEvent, why: string): void {
    report(hook, event, { ok: false, tries: 0, ms: 0, detail: `not run: ${why}` });
  }

  function report(hook: string, event: HookEvent, { detail, ...end }: End): void {
    const kind = kinds.get(hook) ?? 'gone';
    observer.onHook({ target: event.target, hook, kind, event, ...end, detail: redact(detail) });
  }

  return {
    tell(names, event) {
      const closes = OPENING_OF[event.event];
      const others = closes ? openings.hooksOf(keyOf(event), closes) : [];
      tell(new Set([...names, ...others]), event);
    },
    configure({ hooks: next, perHook, subjects }) {
      hooks = next;
      for (const { name, kind } of next.values()) kinds.set(name, kind);
      courier.resize(perHook);
      if (!restored) restore();
      restored = true;
      closeAbandoned(new Set([...subjects].map(subjectKey)));
      sweep.begin();
    },
    async stop(graceMs) {
      stopping = true;
      sweep.stop();
      for (const opening of openings.all()) opening.cancelReminder();
      gatherer.flush();
      const durable = outbox.isDurable();
      for (const { delivery, tries, said } of await courier.stop(graceMs, !durable)) {
        const { hook, event, row, quiet } = delivery;
        const why = durable && row !== null ? LATER : 'the agent is stopping';
        const detail = tries === 0 ? `not run: ${why}` : `${said || 'aborted'}; not tried again: ${why}`;
        if (!quiet) report(hook, event, { ok: false, tries, ms: 0, detail });
      }
    },
  };
}

const LATER = 'the agent is stopping; it goes on after the next start';
