import type { State } from '../core/health.ts';
import type { Totals } from '../observe/counters.ts';
import { formatCount, formatDuration } from '../core/units.ts';
import { plain } from '../core/plain.ts';
import { recoveryLine } from './recovery-lines.ts';
import { type Paint, STATE_COLOUR } from './style.ts';

/** A line of the log as pino writes it. */
export type LogRecord = Readonly<Record<string, unknown>> & {
  readonly msg: string;
  readonly time: string;
  readonly level: string;
};

const SYMBOL: Readonly<Record<State, string>> = {
  unknown: '?',
  up: '✓',
  suspect: '~',
  down: '✗',
  recovering: '↗',
};

/** How far right the story begins: names longer than this push it out. */
const NAME_WIDTH = 18;

/**
 * A log record for a person: time, a mark, the target, what happened. Returns undefined for what a person need not see.
 */
export function renderRecord(record: LogRecord, paint: Paint): string {
  const time = paint('gray', clockTime(record.time));
  const name = (mark: string): string =>
    `${time}  ${mark} ${plain(String(record['target'] ?? '')).padEnd(NAME_WIDTH)} `;
  switch (record.msg) {
    case 'transition': {
      const to = record['to'] as State;
      const mark = paint(STATE_COLOUR[to], SYMBOL[to]);
      return `${name(mark)}${paint(STATE_COLOUR[to], to.padEnd(10))} ${story(record, paint)}`;
    }
    case 'news':
      return `${name(paint('blue', '•'))}${paint('blue', 'told'.padEnd(10))} ${String(record['event'])}: ${plain(String(record['message']))}`;
    case 'hook start':
      return `${name(paint('blue', '▸'))}${paint('blue', 'hook'.padEnd(10))} ${hookName(record)} started`;
    case 'hook': {
      const colour = record['ok'] ? 'green' : 'red';
      const tries = record['tries'] === 1 ? '' : ` after ${String(record['tries'])} tries`;
      const ended = `${record['ok'] ? 'done' : 'failed'} in ${formatDuration(Number(record['ms']))}${tries}`;
      return `${name(paint(colour, record['ok'] ? '▪' : '✗'))}${paint(colour, 'hook'.padEnd(10))} ${hookName(record)} ${ended}: ${plain(String(record['detail']))}`;
    }
    case 'hook waits': {
      const tries = formatCount(Number(record['tries']), 'try', 'tries');
      const again = `again in ${formatDuration(Number(record['next_ms']))}`;
      return `${name(paint('yellow', '!'))}${paint('yellow', 'hook'.padEnd(10))} ${hookName(record)} failed after ${tries}, ${again}: ${plain(String(record['detail']))}`;
    }
    case 'attempt':
      return `${name(paint('gray', '·'))}${paint('gray', `${String(record['status']).padEnd(10)} ${plain(String(record['message']))} (${formatDuration(Number(record['latency_ms']))})`)}`;
    case 'starts missed':
      return `${name(paint('yellow', '!'))}${paint('yellow', 'late'.padEnd(10))} ${String(record['count'])} starts missed: the attempt before was still under way`;
    case 'no verdict':
      return `${name(paint('magenta', '?'))}${paint('magenta', 'void'.padEnd(10))} ${String(record['count'])} attempts in a row say nothing about it: ${plain(String(record['message']))}`;
    case 'contract': {
      const mark = record['kept'] ? paint('blue', '•') : paint('yellow', '!');
      return `${name(mark)}${'contract'.padEnd(10)} ${terms(record)}`;
    }
    default: {
      const recovery = recoveryLine(record, paint);
      if (recovery) return `${name(recovery.mark)}${recovery.text}`;
      const mark =
        record.level === 'error'
          ? paint('red', '✗')
          : record.level === 'warn'
            ? paint('yellow', '!')
            : paint('blue', '•');
      return `${time}  ${mark} ${sentence(record) ?? record.msg + details(record, paint)}`;
    }
  }
}

/** The agent's own messages, in words. */
function sentence(record: LogRecord): string | undefined {
  const field = (key: string): string => plain(String(record[key]));
  switch (record.msg) {
    case 'started':
      return `watching ${formatCount(Number(record['targets']), 'target')}, with ${formatCount(Number(record['hooks']), 'hook')}, from ${field('files')}`;
    case 'reloaded':
      return `reloaded (${field('why')}): ${field('added')} added, ${field('removed')} removed, ${field('changed')} changed, ${field('kept')} kept`;
    case 'paused':
      return `${scope(record)} is paused until ${clockTime(field('until')).slice(0, -4)} by ${field('by')}: ${field('reason')}`;
    case 'pause over':
      return `${scope(record)} is not paused any more (${field('because')}): ${field('reason')}`;
    case 'maintenance begins':
      return `maintenance of ${field('targets')} targets until ${clockTime(field('until')).slice(0, -4)}: ${field('reason')}`;
    case 'maintenance over':
      return `maintenance is over: ${field('reason')}`;
    case 'stopping':
      return `stopping (${field('why')}); hooks may take up to ${formatDuration(Number(record['grace_ms']))}`;
    case 'published':
      return publishedWords(record);
    case 'file written':
    case 'reader reloaded':
    case 'file not written':
    case 'reader not reloaded': {
      const what = record.msg.startsWith('file') ? field('path') : `the reader of ${field('path')}`;
      return `${what} ${record.msg.replace(/^\w+ /, 'is ')}: ${field('detail')}`;
    }
    case 'too many of a group are bad, its recovery stops':
      return `${field('bad')} of ${field('size')} in ${field('group')} are bad at once: its recovery stops`;
    case 'few of a group are bad, its recovery goes on':
      return `${field('bad')} of ${field('size')} in ${field('group')} are bad: its recovery goes on`;
    case 'stopped':
      return totals(record as unknown as Totals);
    default:
      return undefined;
  }
}

/** `2 of 3 in web are published, web-3 is out` */
function publishedWords(record: LogRecord): string {
  const names = (key: string): string[] => (record[key] as readonly string[]).map(plain);
  const change = (list: readonly string[], word: string): string[] =>
    list.length === 0
      ? []
      : [`${list.slice(0, 5).join(', ')}${list.length > 5 ? ` and ${list.length - 5} more` : ''} ${word}`];
  const counts = `${String(record['published'])} of ${String(record['of'])} in ${plain(String(record['group']))} are published`;
  const panic = record['panic'] ? ['too many are bad at once, so all of them go on'] : [];
  return [counts, ...panic, ...change(names('added'), 'in'), ...change(names('removed'), 'out')].join('; ');
}

/** What a contract comes to. */
function terms(record: LogRecord): string {
  const field = (key: string): string => String(record[key]);
  const windows = Object.values(record['confirm'] as Record<string, string>).join(', ');
  const blips = Object.values(record['blips'] as Record<string, number>).reduce((sum, count) => sum + count);
  const rules = `asked every ${field('interval')}, down after ${windows}`;
  const ground =
    field('watched') === '0ms'
      ? 'nothing is measured yet'
      : `${formatCount(blips, 'blip')} in ${field('watched')}`;
  return record['kept']
    ? `${rules}: found within ${field('detects_within')}, a false one ${field('false_down')} (${ground})`
    : `cannot be kept: ${rules}, a false one ${field('false_down')} (${ground}); ${field('max_false_down')} takes detect_within ${field('needs')}`;
}

function scope({ target, group }: LogRecord): string {
  if (typeof target === 'string') return plain(target);
  return typeof group === 'string' ? `group ${plain(group)}` : 'everything';
}

function totals({ attempts, missed, lateness, hooks }: Totals): string {
  const said = Object.entries(attempts).filter(([, count]) => count > 0);
  const late = `${lateness.p50}, ${lateness.p99} and ${lateness.max} ms late (median, p99, most)`;
  return [
    `stopped after ${said.map(([status, count]) => `${count} ${status}`).join(', ') || 'no'} attempts`,
    `starts ${late}, ${missed} missed`,
    `hooks: ${hooks.ok} done, ${hooks.failed} failed`,
  ].join('; ');
}

/** Why it changed, in the target's own words. */
function story(record: LogRecord, paint: Paint): string {
  const { from, to, reason, message, incident } = record;
  const why = reason === null ? plain(String(message)) : `${String(reason)}: ${plain(String(message))}`;
  if (to === 'up' && incident !== null)
    return `${why} ${paint('gray', `(verified, incident ${String(incident)} closed)`)}`;
  if (to === 'down' && from !== 'recovering')
    return `${why} ${paint('gray', `(incident ${String(incident)})`)}`;
  return `${why} ${paint('gray', `(was ${String(from)})`)}`;
}

function hookName(record: LogRecord): string {
  return `${String(record['hook'])} (${String(record['kind'])}, on ${String(record['event'])})`;
}

const KNOWN = new Set(['level', 'time', 'msg', 'problems']);

function details(record: LogRecord, paint: Paint): string {
  const fields = Object.entries(record).filter(([key]) => !KNOWN.has(key));
  const text = fields
    .map(([key, value]) => `${key}=${typeof value === 'string' ? plain(value) : JSON.stringify(value)}`)
    .join(' ');
  const problems = typeof record['problems'] === 'string' ? `\n${record['problems']}` : '';
  return (text === '' ? '' : `  ${paint('gray', text)}`) + problems;
}

/** Local time of day, to the millisecond: dates are for files. */
function clockTime(iso: string): string {
  const at = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
