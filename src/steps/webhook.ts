import { Agent, request } from 'undici';
import { z } from 'zod';
import type { StepKind } from '../core/step.ts';
import { VERSION } from '../core/version.ts';
import { httpUrl, textMap, withShortForm } from '../schema/scalars.ts';

const keys = z.strictObject({
  url: httpUrl().describe('http or https, without credentials'),
  method: z
    .enum(['POST', 'PUT', 'PATCH'], { error: 'expected POST, PUT or PATCH' })
    .default('POST')
    .describe('how the action is sent, as the body'),
  headers: textMap().default({}).describe('sent along; one of the same name replaces ours'),
});

type WebhookSettings = z.infer<typeof keys>;

/** Actions are rare: no connection is kept. The caller owns the timeout; undici's own tick every half second. */
const agent = new Agent({ pipelining: 0, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 0 } });

/** Asks somebody else to act: a pager, or the API of who runs the machine. A status of 200 to 299 is success. */
export const webhook: StepKind<WebhookSettings> = {
  kind: 'webhook',
  settings: withShortForm(['scalar'], (url) => ({ url }), keys),
  timeoutMs: 10_000,
  asks: true,
  preview: ({ url, method }) => `${method} ${url}`,

  async act({ url, method, headers }, action, { signal }) {
    const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
    const response = await request(url, {
      method,
      headers: {
        'content-type': 'application/json',
        'user-agent': `vitald/${VERSION}`,
        // A target's name may have characters that no header may carry.
        'idempotency-key': encodeURIComponent(action.id),
        ...Object.fromEntries(own),
      },
      body: JSON.stringify(action),
      dispatcher: agent,
      signal,
    });
    const status = response.statusCode;
    // The status decides; whoever does not end the body is not waited for.
    response.body.on('error', () => {}).destroy();
    return { ok: status >= 200 && status <= 299, detail: `status ${status}`, output: '' };
  },
};
