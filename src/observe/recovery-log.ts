import type { Logger } from 'pino';
import type { ActionRow } from '../core/action.ts';
import type { RecoveryReport } from '../core/recovery.ts';

/** Tells the log of recovery: what is held and by what, what is done, and what it came to. */
export function createRecoveryLog(log: Logger): (report: RecoveryReport) => void {
  return (report) => {
    switch (report.what) {
      case 'held': {
        const { target, incident, holds } = report;
        const why = holds.map(({ why }) => why).join('; ');
        log.info({ target, incident, gates: holds.map(({ gate }) => gate), why }, 'recovery held');
        break;
      }
      case 'begins': {
        const { mode, what } = report.action;
        log.warn({ ...fieldsOf(report.action), mode, what }, 'recovery begins');
        break;
      }
      case 'acted': {
        const { result, detail, ended, at } = report.action;
        const ms = ended === null ? null : ended - at;
        log[result === 'ok' ? 'info' : 'error'](
          { ...fieldsOf(report.action), ok: result === 'ok', ms, detail },
          'recovery acted',
        );
        break;
      }
      case 'outcome': {
        const { outcome, why } = report.action;
        const isBad = outcome === 'failed' || outcome === 'inconclusive';
        log[isBad ? 'error' : 'info']({ ...fieldsOf(report.action), outcome, why }, 'recovery outcome');
        break;
      }
      case 'refused': {
        const { target, incident, why } = report;
        log.error({ target, incident, why }, 'recovery refuses to act');
        break;
      }
      case 'gave_up': {
        const { target, incident, mode, why } = report;
        log.error({ target, incident, mode, why }, 'recovery gave up');
        break;
      }
      case 're_armed': {
        const { target, incident, why } = report;
        log.info({ target, incident, why }, 'recovery armed again');
        break;
      }
      case 'panic': {
        const { group, bad, size } = report;
        log.error({ group, bad, size }, 'too many of a group are bad, its recovery stops');
        break;
      }
      case 'calm': {
        const { group, bad, size } = report;
        log.info({ group, bad, size }, 'few of a group are bad, its recovery goes on');
        break;
      }
      case 'off':
        log.warn({ by: report.by }, 'recovery is off');
        break;
      case 'on':
        log.info({ by: report.by }, 'recovery is on');
        break;
    }
  };
}

function fieldsOf({ target, incident, id, step, kind, try: nth }: ActionRow) {
  return { target, incident, action: id, step, kind, try: nth };
}
