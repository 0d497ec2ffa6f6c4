import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hooks } from '../../src/hooks/index.ts';
import { DOWN, fire } from '../support/hook-events.ts';
import { receiver } from '../support/receiver.ts';

async function sent(settings: object): Promise<unknown> {
  const { url, json } = await receiver(200);
  expect(await fire(hooks.webhook, { url, ...settings })).toMatchObject({ ok: true });
  return json();
}

describe('the body', () => {
  test('has the values of the event inside of its texts; all else is as it was written', async () => {
    const body = {
      title: '{target} ({group}) is {state}',
      why: '{message}',
      tier: '{labels.tier}{labels.none}',
      numbers: [1, 2.5, true, null, { 'in {target}': '{reason}/{class}/{attempt}' }],
      literal: '{{target} { } {} {not one}',
    };
    expect(await sent({ body })).toEqual({
      title: 'orders (shop) is down',
      why: DOWN.message,
      tier: 'front',
      numbers: [1, 2.5, true, null, { 'in {target}': 'status/explicit/3' }],
      literal: '{target} { } {} {not one}',
    });
  });

  test('a value cannot leave its text, and what looks like a placeholder in it is not one', async () => {
    const message = '", "admin": true, "x": "{incident} $& $1';
    const { url, received } = await receiver(200);
    await fire(hooks.webhook, { url, body: ['{message}'] }, { ...DOWN, message });
    expect(JSON.parse(received[0]!.body)).toEqual([message]);
  });

  test('has ready words, too', async () => {
    expect(await sent({ body: { text: '{title}' } })).toEqual({ text: 'orders is down' });
  });

  test.each([
    [{ text: '{taget}' }, ['body', 'text'], 'unknown placeholder {taget}; did you mean {target}?'],
    [[{ a: ['ok', '{labels.}'] }], ['body', 0, 'a', 1], /^unknown placeholder \{labels\.\}; /],
    [{ text: '{nothing.like.it}' }, ['body', 'text'], /there is id, event, kind, target, .*labels\.NAME$/],
    ['{target}', ['body'], 'expected a mapping or a list'],
  ])('%j is refused, with its place', (body, path, message) => {
    const result = hooks.webhook.settings.safeParse({ url: 'http://h/', body });
    expect(result.error?.issues).toMatchObject([
      { path, message: typeof message === 'string' ? message : expect.stringMatching(message) },
    ]);
  });
});

describe('hmac', () => {
  // By hand, as the receiver of Standard Webhooks does it.
  function isGenuine(headers: NodeJS.Dict<string | string[]>, body: string, key: string | Buffer): boolean {
    const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
    return (
      headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(content).digest('base64')}`
    );
  }

  test.each([
    ['a plain secret', 'sixteen letters!', 'sixteen letters!'],
    [
      'an encoded one',
      `whsec_${Buffer.from('\u0000\u00ff bytes of it').toString('base64')}`,
      Buffer.from('\u0000\u00ff bytes of it'),
    ],
  ])('%s signs id, time and body', async (_name, hmac, key) => {
    const { url, received } = await receiver(200);
    await fire(hooks.webhook, { url, hmac }, { ...DOWN, id: 'a.b/down' });
    const [{ request, body } = { request: undefined, body: '' }] = received;
    expect(request?.headers['webhook-id']).toBe('a%2Eb%2Fdown');
    expect(Math.abs(Number(request?.headers['webhook-timestamp']) - Date.now() / 1_000)).toBeLessThan(60);
    expect(isGenuine(request!.headers, body, key)).toBe(true);
    expect(isGenuine(request!.headers, `${body} `, key)).toBe(false);
  });

  test('a short one is refused', () => {
    const result = hooks.webhook.settings.safeParse({ url: 'http://h/', hmac: 'short' });
    expect(result.error?.issues).toMatchObject([
      { path: ['hmac'], message: 'a secret has at least 16 characters' },
    ]);
  });
});
