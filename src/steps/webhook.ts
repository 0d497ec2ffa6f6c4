import { z } from 'zod';
import type { StepKind } from '../core/step.ts';
import { headerText, lowerCased, loadPost, post } from '../http/post.ts';
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

/** Asks somebody else to act: a pager, or the API of who runs the machine. A status of 200 to 299 is success. */
export const webhook: StepKind<WebhookSettings> = {
  kind: 'webhook',
  settings: withShortForm(['scalar'], (url) => ({ url }), keys),
  load: loadPost,
  timeoutMs: 10_000,
  asks: true,
  preview: ({ url, method }) => `${method} ${url}`,

  async act({ url, method, headers }, action, context) {
    const sent = { 'idempotency-key': headerText(action.id), ...lowerCased(headers) };
    const { ok, detail } = await post({ url, method, headers: sent, body: JSON.stringify(action) }, context);
    return { ok, detail, output: '' };
  },
};
