import { describe, expect, test } from 'vitest';
import type { Hook } from '../../src/core/hook.ts';
import { hooks } from '../../src/hooks/index.ts';
import { DOWN, UP, fire, manyDown } from '../support/hook-events.ts';
import { type Receiver, receiver } from '../support/receiver.ts';

const MESSENGERS = {
  slack: (url: string) => url,
  teams: (url: string) => url,
  pagerduty: (url: string) => ({ routing_key: 'k'.repeat(32), url }),
  ntfy: (url: string) => url,
  alertmanager: (url: string) => url,
} as const;

describe.each(Object.keys(MESSENGERS) as (keyof typeof MESSENGERS)[])('%s', (kind) => {
  async function send(event = DOWN, status = 200): Promise<{ at: Receiver; result: unknown }> {
    const at = await receiver(status, { said: 'said' });
    return { at, result: await fire(hooks[kind] as Hook, MESSENGERS[kind](at.url), event) };
  }

  test.each([
    [200, { ok: true, retry: false }],
    [202, { ok: true, retry: false }],
    [400, { ok: false, retry: false, detail: 'status 400: said' }],
    [404, { ok: false, retry: false, detail: 'status 404: said' }],
    [429, { ok: false, retry: true, detail: 'status 429: said' }],
    [503, { ok: false, retry: true, detail: 'status 503: said' }],
  ])('status %d', async (status, expected) => {
    expect((await send(DOWN, status)).result).toMatchObject(expected);
  });

  test.each([
    ['of racks', manyDown(3_000)],
    [
      'of hundreds of groups',
      { ...DOWN, also: manyDown(3_000).also!.map((event, index) => ({ ...event, group: `"${index}"` })) },
    ],
  ])('a storm %s fits into one message', async (_name, event) => {
    const { at, result } = await send(event);
    expect(result).toMatchObject({ ok: true });
    if (kind !== 'alertmanager') expect(Buffer.byteLength(at.received[0]!.body)).toBeLessThan(28 * 1_024);
  });
});

test('slack: nothing of what a server says is obeyed', async () => {
  const { url, json } = await receiver(200);
  await fire(hooks.slack, { url });
  expect(json()).toMatchObject({ text: 'orders is down', attachments: [{ color: 'danger' }] });
  expect(json()['attachments'][0].text).toContain('status 503 &lt;!channel&gt; &amp; "quoted"');
  await fire(hooks.slack, url, UP);
  expect(json()).toMatchObject({ text: 'orders is up again after 2m3s', attachments: [{ color: 'good' }] });
});

test('teams: an adaptive card of plain runs of text', async () => {
  const { url, json } = await receiver(202);
  await fire(hooks.teams, url);
  const [{ contentType, content }] = json()['attachments'];
  expect(json()['type']).toBe('message');
  expect(contentType).toBe('application/vnd.microsoft.card.adaptive');
  expect(content).toMatchObject({ type: 'AdaptiveCard', version: '1.4' });
  const runs = content.body.map(({ type, inlines }: { type: string; inlines: { text: string }[] }) => {
    expect(type).toBe('RichTextBlock');
    return inlines[0]?.text;
  });
  expect(runs.slice(0, 2)).toEqual(['orders is down', `${DOWN.message} (status, explicit)`]);
  expect(content.body[0].inlines[0].color).toBe('attention');
});

describe('pagerduty', () => {
  async function sent(event = DOWN) {
    const { url, json } = await receiver(202);
    await fire(hooks.pagerduty, { routing_key: 'key', severity: 'error', url }, event);
    return json();
  }

  test('triggers and resolves the same alert', async () => {
    expect(await sent()).toMatchObject({
      routing_key: 'key',
      event_action: 'trigger',
      dedup_key: DOWN.incident,
      payload: {
        summary: `orders is down: ${DOWN.message}`,
        source: 'orders',
        severity: 'error',
        group: 'shop',
        class: 'explicit',
        timestamp: DOWN.since,
      },
    });
    expect(await sent(UP)).toEqual({
      routing_key: 'key',
      event_action: 'resolve',
      dedup_key: DOWN.incident,
      client: 'vitald',
    });
  });

  test('what has no incident has the key of its target', async () => {
    const opened = await sent({ ...DOWN, event: 'degraded', incident: null });
    const closed = await sent({ ...UP, event: 'restored', incident: null });
    expect([opened['dedup_key'], opened['payload'].severity]).toEqual(['orders/degraded', 'warning']);
    expect([closed['dedup_key'], closed['event_action']]).toEqual(['orders/degraded', 'resolve']);
  });

  test('stays within the bounds of the API', async () => {
    const incident = `${'n'.repeat(300)}-mb0c7s00`;
    const { dedup_key, payload } = await sent({ ...DOWN, incident, message: 'm'.repeat(5_000) });
    expect(dedup_key).toHaveLength(255);
    expect(dedup_key).toMatch(/-mb0c7s00$/);
    expect(Buffer.byteLength(payload.summary)).toBe(1_024);
  });

  test('its short form is the routing key', () => {
    expect(hooks.pagerduty.settings.parse('key')).toEqual({
      routing_key: 'key',
      severity: 'critical',
      url: 'https://events.pagerduty.com/v2/enqueue',
    });
  });
});

describe('ntfy', () => {
  test('the topic is named inside of the message', async () => {
    const { url, received, json } = await receiver(200);
    await fire(hooks.ntfy, { url, token: 'tk_1' });
    expect(received[0]?.request).toMatchObject({ url: '/', method: 'POST' });
    expect(received[0]?.request.headers['authorization']).toBe('Bearer tk_1');
    expect(json()).toMatchObject({
      topic: 'in',
      title: 'orders is down',
      priority: 5,
      tags: ['rotating_light'],
    });
    await fire(hooks.ntfy, url, UP);
    expect(json()).toMatchObject({ priority: 3, tags: ['white_check_mark'] });
    expect(received[1]?.request.headers['authorization']).toBeUndefined();
  });

  test.each(['https://ntfy.sh', 'https://ntfy.sh/', 'https://ntfy.sh/a?x=1'])('%s names no topic', (url) => {
    expect(hooks.ntfy.settings.safeParse(url).success).toBe(false);
  });
});

describe('alertmanager', () => {
  async function sent(event = DOWN, settings: object = {}) {
    const { url, received, json } = await receiver(200);
    await fire(hooks.alertmanager, { urls: [`${url}/`], ...settings }, event);
    expect(received[0]?.request).toMatchObject({ url: '/in/api/v2/alerts', method: 'POST' });
    expect(json()).toHaveLength(1);
    return json()['0'];
  }

  test('the labels are the same from the beginning to the end', async () => {
    const opened = await sent(DOWN, { labels: { team: 'shop', severity: 'page', alertname: 'mine' } });
    const closed = await sent(UP, { labels: { team: 'shop', severity: 'page' } });
    expect(opened['labels']).toEqual({
      alertname: 'VitaldDown',
      severity: 'page',
      target: 'orders',
      group: 'shop',
      probe: 'http',
      tier: 'front',
      data_center: 'b',
      team: 'shop',
    });
    expect(closed['labels']).toEqual(opened['labels']);
    expect(opened['startsAt']).toBe(DOWN.since);
    expect(Date.parse(opened['endsAt'])).toBeGreaterThan(Date.now() + 200_000);
    expect(closed).toMatchObject({ startsAt: DOWN.since, endsAt: UP.at });
    expect(opened['annotations']).toMatchObject({ summary: 'orders is down', message: DOWN.message });
  });

  test('one message has all that is gathered', async () => {
    const { url, json } = await receiver(200);
    await fire(hooks.alertmanager, url, manyDown(30));
    expect(json()).toHaveLength(30);
    expect(json()['29'].labels).toMatchObject({ target: 'node-29', group: 'rack-2' });
  });

  test('one member that takes it is enough; what the others said is told', async () => {
    const [good, busy, bad] = [await receiver(200), await receiver(503), await receiver(400)];
    expect(await fire(hooks.alertmanager, [busy.url, good.url, bad.url])).toEqual({
      ok: true,
      detail: 'status 200; 2 of 3 members: status 503',
      retry: false,
    });
    expect(await fire(hooks.alertmanager, [bad.url, busy.url])).toMatchObject({ ok: false, retry: true });
    expect(await fire(hooks.alertmanager, [bad.url])).toMatchObject({ ok: false, retry: false });
  });
});
