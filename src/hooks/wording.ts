import type { HookEvent, HookEventName } from '../core/hook.ts';
import { formatDuration } from '../core/units.ts';

/** What a person is told, short enough for the lock screen of a telephone. */
export interface Wording {
  readonly tone: 'bad' | 'warning' | 'good';
  /** `orders is down`; `12 targets are down, 3 are up again`. */
  readonly title: string;
  /** What, since when, why; a line each. */
  readonly lines: readonly string[];
}

/** How an event reads behind "is" or "are". The worst comes first. */
const WORDS: Readonly<Record<HookEventName, readonly [words: string, tone: Wording['tone']]>> = {
  down: ['down', 'bad'],
  still_down: ['still down', 'bad'],
  flapping: ['flapping', 'warning'],
  degraded: ['degraded', 'warning'],
  settled: ['steady again', 'good'],
  restored: ['well again', 'good'],
  up: ['up again', 'good'],
};

/** So many are told one by one, with their reasons. */
const MOST_EXPLAINED = 10;
/** So many of a group are named. */
const MOST_NAMED = 40;

/** An event and what joined it. */
export function eventsOf(event: HookEvent): readonly HookEvent[] {
  return [event, ...(event.also ?? [])];
}

/** `zone` as `Europe/Berlin`; without it, that of the agent. */
export function wording(event: HookEvent, zone?: string): Wording {
  const events = eventsOf(event);
  return {
    tone: toneOf(events),
    title: events.length === 1 ? titleOfOne(event) : titleOfMany(events),
    lines: events.length === 1 ? linesOfOne(event, zone) : linesOfMany(events, zone),
  };
}

function toneOf(events: readonly HookEvent[]): Wording['tone'] {
  const tones = new Set(events.map((event) => WORDS[event.event][1]));
  return (['bad', 'warning', 'good'] as const).find((tone) => tones.has(tone))!;
}

function titleOfOne(event: HookEvent): string {
  const [words] = WORDS[event.event];
  const lasted = lastedOf(event);
  const since = lasted === '' ? '' : event.event === 'still_down' ? `, for ${lasted}` : ` after ${lasted}`;
  return `${event.kind === 'group' ? 'group ' : ''}${event.target} is ${words}${since}`;
}

/** How long it lasted, or does; empty for what has only begun. */
function lastedOf({ at, since }: HookEvent): string {
  const ms = Date.parse(at) - Date.parse(since);
  return ms > 0 ? formatDuration(ms < 1_000 ? ms : Math.round(ms / 1_000) * 1_000) : '';
}

function linesOfOne(event: HookEvent, zone: string | undefined): string[] {
  const closes = WORDS[event.event][1] === 'good';
  const began = momentOf(event.since, zone);
  return [
    `${event.message}${whyOf(event)}`,
    closes ? `from ${began} to ${momentOf(event.at, zone)}` : `since ${began}`,
    [
      ...(event.group === null ? [] : [`group ${event.group}`]),
      event.probe,
      ...(event.incident === null ? [] : [`incident ${event.incident}`]),
    ].join(' · '),
  ].filter((line) => line !== '');
}

/** ` (timeout, silent)` */
function whyOf(event: HookEvent): string {
  return event.reason === null ? '' : ` (${event.reason}, ${event.class})`;
}

function titleOfMany(events: readonly HookEvent[]): string {
  const parts = byName(events).map(([name, those], index) => {
    const count = index > 0 ? `${those.length}` : those.length === 1 ? '1 target' : `${those.length} targets`;
    return `${count} ${those.length === 1 ? 'is' : 'are'} ${WORDS[name][0]}`;
  });
  return parts.join(', ');
}

/** Every one of them, with its reason where they are few; else their names by group. */
function linesOfMany(events: readonly HookEvent[], zone: string | undefined): string[] {
  const kinds = byName(events);
  const said = kinds.flatMap(([name, those]) => {
    if (events.length <= MOST_EXPLAINED) return those.map(lineOf);
    const [words] = WORDS[name];
    const groups = groupsOf(those);
    return [...groups].map(([group, names]) => {
      const more = names.length - MOST_NAMED;
      const listed = `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
      const heading = [...(kinds.length > 1 ? [words] : []), ...(group === null ? [] : [group])].join(', ');
      return heading === '' ? listed : `${heading} (${names.length}): ${listed}`;
    });
  });
  const began = events.map(({ since }) => since).toSorted()[0]!;
  return [...said, `since ${momentOf(began, zone)}`];
}

function lineOf(event: HookEvent): string {
  return `${titleOfOne(event)}: ${event.message}${whyOf(event)}`;
}

function groupsOf(events: readonly HookEvent[]): Map<string | null, string[]> {
  const groups = new Map<string | null, string[]>();
  for (const { group, target } of events) {
    const names = groups.get(group);
    if (names) names.push(target);
    else groups.set(group, [target]);
  }
  return groups;
}

/** By what they say, the worst first. */
function byName(events: readonly HookEvent[]): [HookEventName, HookEvent[]][] {
  return (Object.keys(WORDS) as HookEventName[])
    .map((name): [HookEventName, HookEvent[]] => [name, events.filter(({ event }) => event === name)])
    .filter(([, those]) => those.length > 0);
}

/** `08:18:04 UTC, 23 Nov 2026` */
function momentOf(iso: string, timeZone: string | undefined): string {
  const at = new Date(iso);
  const zone = timeZone === undefined ? {} : { timeZone };
  const two = '2-digit';
  const clock = { hour: two, minute: two, second: two, hourCycle: 'h23', timeZoneName: 'short' } as const;
  const day = { day: 'numeric', month: 'short', year: 'numeric' } as const;
  return `${at.toLocaleTimeString('en-GB', { ...zone, ...clock })}, ${at.toLocaleDateString('en-GB', { ...zone, ...day })}`;
}

/** A text of so many bytes at most; what is left out shows as `…`. */
export function clipped(text: string, mostBytes: number): string {
  if (Buffer.byteLength(text) <= mostBytes) return text;
  const kept = Buffer.from(text)
    .subarray(0, mostBytes - 3)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
  return `${kept}…`;
}
