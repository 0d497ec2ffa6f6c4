import { z } from 'zod';
import type { Hook } from '../core/hook.ts';
import { httpUrl, text, textMap, withShortForm } from '../schema/scalars.ts';
import { headerText, lowerCased, loadPost, post } from '../http/post.ts';
import { signatureHeaders } from './signature.ts';
import { filled, jsonTemplate } from './template.ts';

const SHORTEST_SECRET = 16;

const keys = z.strictObject({
  url: httpUrl().describe('http or https, without credentials'),
  method: z
    .enum(['POST', 'PUT', 'PATCH'], { error: 'expected POST, PUT or PATCH' })
    .default('POST')
    .describe('how the event is sent, as the body'),
  headers: textMap().default({}).describe('sent along; one of the same name replaces ours'),
  body: jsonTemplate()
    .optional()
    .meta({ otherwise: 'the event' })
    .describe('a JSON document to send in place of the event; `{target}` and its like are filled in'),
  hmac: text()
    .refine(
      (secret) => secret.length >= SHORTEST_SECRET,
      `a secret has at least ${SHORTEST_SECRET} characters`,
    )
    .optional()
    .describe('a secret that id, time and body are signed with'),
});

type WebhookSettings = z.infer<typeof keys>;

/** Sends the event, or what the user makes of it, as a JSON body. */
export const webhook: Hook<WebhookSettings> = {
  kind: 'webhook',
  settings: withShortForm(['scalar'], (url) => ({ url }), keys),
  load: loadPost,
  defaults: { timeoutMs: 10_000, retries: null, groupingMs: 0 },

  async fire({ url, method, headers, body: template, hmac }, event, context) {
    const body = JSON.stringify(template === undefined ? event : filled(template, event));
    const signed = { id: event.id, body, wallMs: context.clock.wallTime() };
    return await post(
      {
        url,
        method,
        headers: {
          'idempotency-key': headerText(event.id),
          ...(hmac !== undefined && signatureHeaders(hmac, signed)),
          ...lowerCased(headers),
        },
        body,
      },
      context,
    );
  },
};
