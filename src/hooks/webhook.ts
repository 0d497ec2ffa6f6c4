import { Agent, request } from 'undici';
import { z } from 'zod';
import type { Hook } from '../core/hook.ts';
import { VERSION } from '../core/version.ts';
import { httpUrl, textMap, withShortForm } from '../schema/scalars.ts';

const keys = z.strictObject({
  url: httpUrl().describe('http or https, without credentials'),
  method: z
    .enum(['POST', 'PUT', 'PATCH'], { error: 'expected POST, PUT or PATCH' })
    .default('POST')
    .describe('how the event is sent, as the body'),
  headers: textMap().default({}).describe('sent along; one of the same name replaces ours'),
});

type WebhookSettings = z.infer<typeof keys>;

/** Statuses that a later try may mend; others of 400 to 499 are an answer. */
const RETRIED = new Set([408, 425, 429]);

/** Events are rare: no connection is kept. The dispatcher owns the timeout; undici's own tick every half second. */
const agent = new Agent({ pipelining: 0, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 0 } });

/** Sends the event as a JSON body. A status of 200 to 299 is success; redirects are not followed. */
export const webhook: Hook<WebhookSettings> = {
  kind: 'webhook',
  settings: withShortForm(['scalar'], (url) => ({ url }), keys),
  defaults: { timeoutMs: 10_000, retries: 3 },

  async fire({ url, method, headers }, event, { signal }) {
    const response = await request(url, {
      method,
      headers: {
        'content-type': 'application/json',
        'user-agent': `vitald/${VERSION}`,
        // A target's name may have characters that no header may carry.
        'idempotency-key': encodeURIComponent(event.id),
        ...lowerCased(headers),
      },
      body: JSON.stringify(event),
      dispatcher: agent,
      signal,
    });
    const status = response.statusCode;
    // The status decides; whoever does not end the body is not waited for.
    response.body.on('error', () => {}).destroy();
    const ok = status >= 200 && status <= 299;
    return { ok, detail: `status ${status}`, retry: status >= 500 || RETRIED.has(status) };
  },
};

/** So that a header of the user's replaces ours, whatever its case. */
function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
