import type { Logger } from 'pino';
import { type Derivation, onceIn } from '../core/contract.ts';
import type { ConfirmWindows } from '../core/evidence.ts';
import { type Transition } from '../core/health.ts';
import type { HookReport } from '../core/hook.ts';
import type { Observer } from '../core/observer.ts';
import { EVIDENCE_CLASSES, type Outcome, classOf, reasonOf } from '../core/outcome.ts';
import { conditionsOf } from '../core/recorded.ts';
import type { Target } from '../core/target.ts';
import { formatDuration } from '../core/units.ts';
import { createRecoveryLog } from './recovery-log.ts';

/** So many void attempts in a row are worth a line. */
const TELLING_VOIDS = 3;

/**
 * Tells the log. `transition` and `hook` are a contract: their keys stay. Messages are constant texts, all that varies is
 * in fields.
 */
export function createLogObserver(log: Logger): Observer {
  /** Void attempts in a row, by target: nothing else would tell of a probe that never comes to a verdict. */
  const voids = new Map<string, number>();

  function countVoids(name: string, { status, message }: Outcome): void {
    if (status !== 'void') {
      voids.delete(name);
      return;
    }
    const count = (voids.get(name) ?? 0) + 1;
    voids.set(name, count);
    if (count === TELLING_VOIDS) log.warn({ target: name, message, count }, 'no verdict');
  }

  return {
    onAttempt({ name }, attempt, { state }, held, given) {
      const { outcome, number, startedAt, latencyMs } = attempt;
      countVoids(name, outcome);
      if (!log.isLevelEnabled('debug')) return;
      const { status, message } = outcome;
      log.debug(
        {
          target: name,
          status,
          reason: reasonOf(outcome),
          message,
          start_ms: round(startedAt),
          latency_ms: round(latencyMs),
          state,
          attempt: number,
          ...conditionsOf(attempt, given),
          ...(held !== null && { held }),
        },
        'attempt',
      );
    },
    onTransition({ name }, transition) {
      const { from, to, attempt, incident, at } = transition;
      const { outcome, number } = attempt;
      log[levelOf(transition)](
        {
          target: name,
          from,
          to,
          reason: reasonOf(outcome),
          class: classOf(outcome),
          message: outcome.message,
          attempt: number,
          incident,
          at: new Date(at).toISOString(),
        },
        'transition',
      );
    },
    onNews({ kind, name }, { event, incident, correlated, state, message }) {
      log.info(
        {
          ...(kind && { kind }),
          target: name,
          event,
          incident,
          ...(correlated !== null && { correlated }),
          state,
          message,
        },
        'news',
      );
    },
    onAbandoned(target, incident) {
      log.warn({ target, incident }, 'incident abandoned');
    },
    onContract(target, chosen) {
      log[chosen.kept ? 'info' : 'warn'](contractFields(target, chosen), 'contract');
    },
    onMissed({ name }, count) {
      log.warn({ target: name, count }, 'starts missed');
    },
    onHookStart(hook) {
      log.info(hookFields(hook), 'hook start');
    },
    onHook(report) {
      const { ok, tries, ms, detail } = report;
      log[ok ? 'info' : 'error']({ ...hookFields(report), ok, tries, ms: round(ms), detail }, 'hook');
    },
    onHookRetry(retry) {
      const { tries, detail, pauseMs, deliveries } = retry;
      // Tries may go on for hours: the second is as good a moment as the fiftieth is not.
      if (!Number.isInteger(Math.log2(tries))) return;
      const next = { detail, next_ms: round(pauseMs), ...(deliveries > 1 && { deliveries }) };
      log.warn({ ...hookFields(retry), tries, ...next }, 'hook waits');
    },
    onDoubt({ doubtful, score }, because) {
      if (doubtful) log.warn({ because, score }, 'in doubt of itself, verdicts of down are withheld');
      else log.info({ score }, 'sure of itself again');
    },
    onPause({ scope, reason, by, until, untilHealthy, drain }, over) {
      if (over !== null) log.info({ ...scope, reason, because: over }, 'pause over');
      else
        log.info(
          {
            ...scope,
            reason,
            by,
            until: new Date(until).toISOString(),
            until_healthy: untilHealthy,
            drain: drain ?? false,
          },
          'paused',
        );
    },
    onMaintenance({ reason, targets, until }, begins) {
      if (begins)
        log.info(
          { reason, targets: targets.size, until: new Date(until).toISOString() },
          'maintenance begins',
        );
      else log.info({ reason }, 'maintenance over');
    },
    onRecovery: createRecoveryLog(log),
    onPublish(report) {
      const { what, ...fields } = report;
      if (report.what === 'set') log[report.panic ? 'warn' : 'info'](fields, 'published');
      else if (what === 'written') log.info(fields, 'file written');
      else if (what === 'reloaded') log.info(fields, 'reader reloaded');
      else log.error(fields, what === 'not written' ? 'file not written' : 'reader not reloaded');
    },
    onTrouble(what, detail) {
      log.error({ what, detail }, 'trouble');
    },
  };
}

function contractFields({ name, contract }: Target, chosen: Derivation) {
  const { rules, kept, detectsWithinMs, falseDown, neededMs, watchedMs, blips } = chosen;
  const seen = EVIDENCE_CLASSES.map((cls) => [cls, blips[cls].count]);
  return {
    target: name,
    kept,
    interval: formatDuration(rules.intervalMs),
    confirm: wordsOf(rules.confirm),
    detect_within: formatDuration(contract!.detectWithinMs),
    detects_within: formatDuration(detectsWithinMs),
    max_false_down: onceIn(contract!.maxFalseDown),
    false_down: onceIn(falseDown),
    ...(!kept && { needs: formatDuration(neededMs) }),
    watched: formatDuration(watchedMs),
    blips: Object.fromEntries(seen) as Record<string, number>,
  };
}

function wordsOf({ explicit, silent, path }: ConfirmWindows): Record<string, string> {
  return { explicit: formatDuration(explicit), silent: formatDuration(silent), path: formatDuration(path) };
}

function hookFields({ target, hook, kind, event }: Pick<HookReport, 'target' | 'hook' | 'kind' | 'event'>) {
  return { target, hook, kind, event: event.event, event_id: event.id, incident: event.incident };
}

function levelOf({ to }: Transition): 'error' | 'warn' | 'info' {
  return to === 'down' ? 'error' : to === 'suspect' ? 'warn' : 'info';
}

/** Milliseconds with three digits, as they go out to machines. */
export function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
