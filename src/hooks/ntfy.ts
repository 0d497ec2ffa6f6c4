import { z } from 'zod';
import type { Hook } from '../core/hook.ts';
import { httpUrl, integer, text, withShortForm } from '../schema/scalars.ts';
import { loadPost, post } from '../http/post.ts';
import { clipped, wording } from './wording.ts';

const keys = z.strictObject({
  url: httpUrl()
    .refine((url) => topicOf(url) !== undefined, 'the URL ends with the topic: https://ntfy.sh/my-topic')
    .describe('the server and the topic, `https://ntfy.sh/my-topic`'),
  token: text().optional().describe('an access token, where the topic is not open to all'),
  priority: integer(1, 5).default(5).describe('of `down`, from 1 to 5; other events have 3 at most'),
});

const TAGS = { bad: 'rotating_light', warning: 'warning', good: 'white_check_mark' } as const;
const USUAL_PRIORITY = 3;

/** A longer message would become an attachment. */
const MOST_BYTES = 4_000;

/** Push messages to telephones, by ntfy.sh or a server of one's own. */
export const ntfy: Hook<z.infer<typeof keys>> = {
  kind: 'ntfy',
  settings: withShortForm(['scalar'], (url) => ({ url }), keys),
  load: loadPost,
  defaults: { timeoutMs: 10_000, retries: null, groupingMs: 5_000 },

  async fire({ url, token, priority }, event, context) {
    const { tone, title, lines } = wording(event);
    const { server, topic } = topicOf(url)!;
    const body = JSON.stringify({
      topic,
      title: clipped(title, 250),
      message: clipped(lines.join('\n'), MOST_BYTES),
      priority: tone === 'bad' ? priority : Math.min(priority, USUAL_PRIORITY),
      tags: [TAGS[tone]],
    });
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return await post({ url: server, headers, body }, context);
  },
};

/** A JSON message goes to the server, and names its topic inside. */
function topicOf(url: string): { readonly server: string; readonly topic: string } | undefined {
  const [, server, topic] = /^(https?:\/\/[^?#]+\/)([\w-]{1,64})$/.exec(url) ?? [];
  return server === undefined || topic === undefined ? undefined : { server, topic };
}
