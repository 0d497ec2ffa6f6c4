import { z } from 'zod';
import type { Hook, HookEvent, HookEventName } from '../core/hook.ts';
import { httpUrl, text, withShortForm } from '../schema/scalars.ts';
import { loadPost, post } from '../http/post.ts';
import { clipped, wording } from './wording.ts';

const SEVERITIES = ['critical', 'error', 'warning', 'info'] as const;

const keys = z.strictObject({
  routing_key: text().describe('of an integration of the type Events API v2'),
  severity: z
    .enum(SEVERITIES)
    .default('critical')
    .describe('of `down`; what is merely degraded or flaps is `warning`'),
  url: httpUrl()
    .default('https://events.pagerduty.com/v2/enqueue')
    .describe('for the EU `https://events.eu.pagerduty.com/v2/enqueue`'),
});

/** What each event is to PagerDuty: the beginning or the end of an alert, and which one of the target's. */
const ALERTS: Readonly<Record<HookEventName, readonly [action: 'trigger' | 'resolve', alert: string]>> = {
  down: ['trigger', 'down'],
  still_down: ['trigger', 'down'],
  gave_up: ['trigger', 'down'],
  up: ['resolve', 'down'],
  abandoned: ['resolve', 'down'],
  degraded: ['trigger', 'degraded'],
  restored: ['resolve', 'degraded'],
  flapping: ['trigger', 'flapping'],
  settled: ['resolve', 'flapping'],
};

/** The longest summary and key that it takes. */
const MOST_SUMMARY = 1_024;
const MOST_KEY = 255;

/** PagerDuty, and what takes the same: an alert is opened once and resolved, by the key of its incident. */
export const pagerduty: Hook<z.infer<typeof keys>> = {
  kind: 'pagerduty',
  settings: withShortForm(['scalar'], (routing_key) => ({ routing_key }), keys),
  load: loadPost,
  defaults: { timeoutMs: 10_000, retries: null, groupingMs: null },

  async fire({ routing_key, severity, url }, event, context) {
    const [event_action, alert] = ALERTS[event.event];
    const body = {
      routing_key,
      event_action,
      dedup_key: keyOf(event, alert),
      client: 'vitald',
      ...(event_action === 'trigger' && {
        payload: {
          summary: clipped(`${wording(event).title}: ${event.message}`, MOST_SUMMARY),
          source: event.target,
          severity: alert === 'down' ? severity : 'warning',
          timestamp: event.since,
          component: event.probe,
          ...(event.group !== null && { group: event.group }),
          ...(event.class !== null && { class: event.class }),
          custom_details: {
            message: event.message,
            reason: event.reason,
            incident: event.incident,
            labels: event.labels,
          },
        },
      }),
    };
    return await post({ url, body: JSON.stringify(body) }, context);
  },
};

/** The same for all that is told of one incident; what has none begins and ends once at a time for each target. */
function keyOf({ kind, incident, target }: HookEvent, alert: string): string {
  const about = alert === 'down' && incident !== null ? incident : `${target}/${alert}`;
  const key = kind === 'group' ? `group ${about}` : about;
  // The end of an id tells two incidents of one target apart.
  return key.slice(-MOST_KEY);
}
