import type { Derivation } from './contract.ts';
import type { Doubt, Trouble } from './doubt.ts';
import type { Attempt } from './outcome.ts';
import type { Circumstances, Health, Transition } from './health.ts';
import type { News, NewsSubject } from './news.ts';
import type { BeatReport } from './beat.ts';
import type { HookReport, HookRetry } from './hook.ts';
import type { OpenWindow, Pause } from './pause.ts';
import type { RecoveryReport } from './recovery.ts';
import type { PublishReport } from './publication.ts';
import type { Target } from './target.ts';

/**
 * Told everything, in process. Methods are synchronous, called in order per target, and must not be slow: they run on
 * the probe path. One that throws is reported to `onTrouble` and stops neither the others nor the caller.
 */
export interface Observer {
  /** `held`: what would have followed, and why it did not; `given`: what it was judged under. */
  onAttempt?(
    target: Target,
    attempt: Attempt,
    health: Health,
    held: string | null,
    given: Circumstances,
  ): void;
  onTransition?(target: Target, transition: Transition): void;
  /** What the world is told of a target, after the transition that it may be due to, or of a group. */
  onNews?(subject: NewsSubject, news: News): void;
  /** All that follows from an attempt has been told: what is done about it comes after that. */
  onConcluded?(target: Target, attempt: Attempt, health: Health): void;
  /** It is watched no more, and its incident was open: nobody will verify it up again. */
  onAbandoned?(name: string, incident: string): void;
  /** The interval and the windows that its contract comes to, at the start and whenever they change. */
  onContract?(target: Target, chosen: Derivation): void;
  /** How long after it was due an attempt started, ms. */
  onStart?(target: Target, latenessMs: number): void;
  /** Starts that were skipped, because the one before was still under way. */
  onMissed?(target: Target, count: number): void;
  onHook?(report: HookReport): void;
  onHookRetry?(retry: HookRetry): void;
  onHookStart?(hook: Pick<HookReport, 'target' | 'hook' | 'kind' | 'event'>): void;
  /** A request to the listener has had its answer. */
  onBeat?(report: BeatReport): void;
  /** The agent begins or ceases to doubt itself; what tipped the scale, where it was one thing. */
  onDoubt?(doubt: Doubt, because: Trouble | null): void;
  /** A pause begins, or is over and why. */
  onPause?(pause: Pause, over: string | null): void;
  onMaintenance?(window: OpenWindow, begins: boolean): void;
  onRecovery?(report: RecoveryReport): void;
  /** Who of a group is published has changed, or a file that says so. */
  onPublish?(report: PublishReport): void;
  /** Our own trouble: a bug in a probe or an observer, with its stack. */
  onTrouble?(what: string, detail: string): void;
}

/** One observer that tells many. */
export function combine(observers: readonly Observer[]): Required<Observer> {
  function tell(call: (observer: Observer) => void): void {
    for (const observer of observers) {
      try {
        call(observer);
      } catch (error) {
        // One that fails at being told of trouble has nowhere left to go.
        for (const other of observers) {
          try {
            if (other !== observer) other.onTrouble?.('observer', stackOf(error));
          } catch {}
        }
      }
    }
  }
  return {
    onAttempt: (target, attempt, health, held, given) =>
      tell((o) => o.onAttempt?.(target, attempt, health, held, given)),
    onTransition: (target, transition) => tell((o) => o.onTransition?.(target, transition)),
    onNews: (subject, news) => tell((o) => o.onNews?.(subject, news)),
    onConcluded: (target, attempt, health) => tell((o) => o.onConcluded?.(target, attempt, health)),
    onAbandoned: (name, incident) => tell((o) => o.onAbandoned?.(name, incident)),
    onContract: (target, chosen) => tell((o) => o.onContract?.(target, chosen)),
    onStart: (target, latenessMs) => tell((o) => o.onStart?.(target, latenessMs)),
    onMissed: (target, count) => tell((o) => o.onMissed?.(target, count)),
    onHook: (report) => tell((o) => o.onHook?.(report)),
    onHookRetry: (retry) => tell((o) => o.onHookRetry?.(retry)),
    onHookStart: (hook) => tell((o) => o.onHookStart?.(hook)),
    onBeat: (report) => tell((o) => o.onBeat?.(report)),
    onDoubt: (doubt, because) => tell((o) => o.onDoubt?.(doubt, because)),
    onPause: (pause, over) => tell((o) => o.onPause?.(pause, over)),
    onMaintenance: (window, begins) => tell((o) => o.onMaintenance?.(window, begins)),
    onRecovery: (report) => tell((o) => o.onRecovery?.(report)),
    onPublish: (report) => tell((o) => o.onPublish?.(report)),
    onTrouble: (what, detail) => tell((o) => o.onTrouble?.(what, detail)),
  };
}

export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
