import { type HookEvent, type HookEventName, OPENING_OF } from '../core/hook.ts';
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
  gave_up: ['down and given up on', 'bad'],
  still_down: ['still down', 'bad'],
  flapping: ['flapping', 'warning'],
  degraded: ['degraded', 'warning'],
  abandoned: ['no longer watched', 'warning'],
  settled: ['steady again', 'good'],
  restored: ['well again', 'good'],
  up: ['up again', 'good'],
};

/** So many are told one by one, with their reasons. */
const MOST_EXPLAINED = 10;
/** So many of a group are named. */
const MOST_NAMED = 200;

/** An event and what joined it. */
export function eventsOf(event: HookEvent): readonly HookEvent[] {
  return [event, ...(event.also ?? [])];
}

/** `zone` as `Europe/Berlin`; without it, that of the agent. */
export function wording(event: HookEvent, zone?: string): Wording {
  const events = withoutOver(eventsOf(event));
  const [only, ...others] = events;
  const isOne = others.length === 0;
  return {
    tone: toneOf(events),
    title: isOne ? titleOfOne(only!) : titleOfMany(events),
    lines: isOne ? linesOfOne(only!, zone) : linesOfMany(events, zone),
  };
}

/** Without the beginnings whose end is told in the same message: the end says how long it was. */
function withoutOver(events: readonly HookEvent[]): readonly HookEvent[] {
  const keyOf = ({ kind, target }: HookEvent, name: HookEventName): string => `${name} ${kind} ${target}`;
  const ends = new Map<string, number>();
  for (const [index, event] of events.entries()) {
    const opening = OPENING_OF[event.event];
    if (opening) ends.set(keyOf(event, opening), index);
  }
  return events.filter((event, index) => (ends.get(keyOf(event, event.event)) ?? -1) < index);
}

function toneOf(events: readonly HookEvent[]): Wording['tone'] {
  const tones = new Set(events.map((event) => WORDS[event.event][1]));
  return (['bad', 'warning', 'good'] as const).find((tone) => tones.has(tone))!;
}

function titleOfOne(event: HookEvent): string {
  const [words] = WORDS[event.event];
  if (event.event === 'down' && event.relapses > 0) return `${nameOf(event)} is down again`;
  const lasted = lastedOf(event);
  const isOver = OPENING_OF[event.event] !== undefined;
  const since = lasted === '' ? '' : isOver ? ` after ${lasted}` : `, for ${lasted}`;
  return `${nameOf(event)} is ${words}${since}`;
}

function nameOf({ kind, target }: HookEvent): string {
  return kind === 'group' ? `group ${target}` : target;
}

/** How long it lasted, or does; empty for what has only begun. */
function lastedOf({ at, since }: HookEvent): string {
  const ms = Date.parse(at) - Date.parse(since);
  return ms > 0 ? formatDuration(ms < 1_000 ? ms : Math.round(ms / 1_000) * 1_000) : '';
}

function linesOfOne(event: HookEvent, zone: string | undefined): string[] {
  const closes = OPENING_OF[event.event] !== undefined;
  const began = momentOf(event.since, zone);
  return [
    `${event.message}${whyOf(event)}`,
    closes
      ? `from ${began} to ${momentOf(event.at, zone)}`
      : `${event.relapses > 0 ? 'in an incident since' : 'since'} ${began}`,
    [
      ...(event.group === null ? [] : [`group ${event.group}`]),
      ...(event.kind === 'group' ? [] : [event.probe]),
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
    const count = index > 0 ? `${those.length}` : countOf(those);
    return `${count} ${those.length === 1 ? 'is' : 'are'} ${WORDS[name][0]}`;
  });
  return parts.join(', ');
}

/** `1 target`, `3 groups`, `4 targets and groups` */
function countOf(events: readonly HookEvent[]): string {
  const kinds = [...new Set(events.map(({ kind }) => kind))].toSorted().toReversed();
  const noun = kinds.map((kind) => (events.length === 1 ? kind : `${kind}s`)).join(' and ');
  return `${events.length} ${noun}`;
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

function groupsOf(events: readonly HookEvent[]): Map<string | null, readonly string[]> {
  const groups = new Map<string | null, string[]>();
  for (const event of events) {
    const names = groups.get(event.group);
    if (names) names.push(nameOf(event));
    else groups.set(event.group, [nameOf(event)]);
  }
  const inOrder = [...groups].map(([group, names]) => [group, names.toSorted(byNumber)] as const);
  return new Map(inOrder.toSorted(([a], [b]) => byNumber(a ?? '', b ?? '')));
}

/** `node-2` before `node-10` */
function byNumber(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
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
