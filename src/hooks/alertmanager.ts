import { z } from 'zod';
import type { Hook, HookEvent, HookEventName, HookResult } from '../core/hook.ts';
import { httpUrl, oneOrMore, textMap, withShortForm } from '../schema/scalars.ts';
import { lowerCased, loadPost, post } from '../http/post.ts';
import { eventsOf, wording } from './wording.ts';

const keys = z.strictObject({
  urls: oneOrMore(httpUrl()).describe(
    'of Alertmanager, each member of a cluster; `/api/v2/alerts` is appended',
  ),
  labels: textMap().default({}).describe('on every alert, beside ours and those of the target'),
  headers: textMap().default({}).describe('sent along, such as `authorization`'),
});

/** What each event is to Alertmanager, and whether it ends there. */
const ALERTS: Readonly<Record<HookEventName, readonly [alertname: string, severity: string, ends: boolean]>> =
  {
    down: ['VitaldDown', 'critical', false],
    still_down: ['VitaldDown', 'critical', false],
    gave_up: ['VitaldDown', 'critical', false],
    up: ['VitaldDown', 'critical', true],
    abandoned: ['VitaldDown', 'critical', true],
    degraded: ['VitaldDegraded', 'warning', false],
    restored: ['VitaldDegraded', 'warning', true],
    flapping: ['VitaldFlapping', 'warning', false],
    settled: ['VitaldFlapping', 'warning', true],
  };

/** What lasts is sent again every minute; were the agent to die, it would expire after five. */
const REFRESH_MS = 60_000;
const EXPIRES_MS = 300_000;

/** Alertmanager, by its API v2. Routing, silencing and telling people are its business. Fine where one of its members has taken it. */
export const alertmanager: Hook<z.infer<typeof keys>> = {
  kind: 'alertmanager',
  settings: withShortForm(['scalar', 'list'], (urls) => ({ urls }), keys),
  load: loadPost,
  defaults: { timeoutMs: 10_000, retries: null, groupingMs: 1_000, refreshMs: REFRESH_MS },

  async fire({ urls, labels, headers }, event, context) {
    const now = context.clock.wallTime();
    const body = JSON.stringify(eventsOf(event).map((one) => alertOf(one, labels, now)));
    const results = await Promise.all(
      urls.map((url) =>
        post(
          { url: `${url.replace(/\/+$/, '')}/api/v2/alerts`, headers: lowerCased(headers), body },
          context,
        ).catch(noAnswer),
      ),
    );
    const best = results.find(({ ok }) => ok) ?? results.find(({ retry }) => retry) ?? results[0]!;
    const failed = results.filter(({ ok }) => !ok);
    if (!best.ok || failed.length === 0) return best;
    return {
      ...best,
      detail: `${best.detail}; ${failed.length} of ${urls.length} members: ${failed[0]!.detail}`,
    };
  },
};

function noAnswer(error: unknown): HookResult {
  return { ok: false, detail: error instanceof Error ? error.message : String(error), retry: true };
}

/**
 * Labels make an alert's identity: only what stays the same from its beginning to its end may be one. The words about it
 * are annotations.
 */
function alertOf(event: HookEvent, labels: Readonly<Record<string, string>>, now: number) {
  const [alertname, severity, ends] = ALERTS[event.event];
  const { title, lines } = wording(event);
  return {
    labels: {
      severity,
      ...named(event.labels),
      ...named(labels),
      alertname,
      target: event.target,
      probe: event.probe,
      ...(event.group !== null && { group: event.group }),
    },
    annotations: {
      summary: title,
      description: lines.join('\n'),
      message: event.message,
      ...(event.reason !== null && { reason: event.reason }),
      ...(event.incident !== null && { incident: event.incident }),
    },
    startsAt: event.since,
    endsAt: ends ? event.at : new Date(now + EXPIRES_MS).toISOString(),
  };
}

/** Alertmanager refuses other names, and drops labels without a value. */
function named(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [
      name.replaceAll(/\W/g, '_').replace(/^(?=\d)/, '_'),
      value,
    ]),
  );
}
