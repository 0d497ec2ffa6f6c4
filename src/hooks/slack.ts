import { z } from 'zod';
import type { Hook } from '../core/hook.ts';
import { httpUrl, withShortForm } from '../schema/scalars.ts';
import { loadPost, post } from '../http/post.ts';
import { clipped, wording } from './wording.ts';

const keys = z.strictObject({
  url: httpUrl().describe('of an incoming webhook; it is a secret, and masked'),
});

const COLORS = { bad: 'danger', warning: 'warning', good: 'good' } as const;

/** What Slack shows of a text before it folds it away; it takes 40,000. */
const MOST_BYTES = 8_000;

/** Slack, and what takes the same: Mattermost, Rocket.Chat. */
export const slack: Hook<z.infer<typeof keys>> = {
  kind: 'slack',
  settings: withShortForm(['scalar'], (url) => ({ url }), keys),
  load: loadPost,
  defaults: { timeoutMs: 10_000, retries: null, groupingMs: 5_000 },

  async fire({ url }, event, context) {
    const { tone, title, lines } = wording(event);
    const text = escaped(clipped(lines.join('\n'), MOST_BYTES));
    const attachment = { color: COLORS[tone], fallback: escaped(title), text, mrkdwn_in: [] };
    const body = JSON.stringify({ text: escaped(title), attachments: [attachment] });
    return await post({ url, body }, context);
  },
};

/** These three begin what Slack obeys: links, `<!channel>`. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
