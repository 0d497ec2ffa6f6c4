import { z } from 'zod';
import type { Hook } from '../core/hook.ts';
import { httpUrl, withShortForm } from '../schema/scalars.ts';
import { loadPost, post } from '../http/post.ts';
import { clipped, wording } from './wording.ts';

const keys = z.strictObject({
  url: httpUrl().describe('of a workflow "when a webhook request is received"; it is a secret, and masked'),
});

const COLORS = { bad: 'attention', warning: 'warning', good: 'good' } as const;

/** A message may have 28 KiB in all, and JSON makes a text longer, and each of its lines. */
const MOST_BYTES = 10_000;
const MOST_LINES = 60;

/** Microsoft Teams: a workflow that posts an adaptive card. */
export const teams: Hook<z.infer<typeof keys>> = {
  kind: 'teams',
  settings: withShortForm(['scalar'], (url) => ({ url }), keys),
  load: loadPost,
  defaults: { timeoutMs: 10_000, retries: null, groupingMs: 5_000 },

  async fire({ url }, event, context) {
    const { tone, title, lines } = wording(event);
    const card = {
      $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
      type: 'AdaptiveCard',
      version: '1.4',
      msteams: { width: 'Full' },
      body: [
        paragraph(title, { size: 'medium', weight: 'bolder', color: COLORS[tone] }),
        ...fitting(lines).map((line) => paragraph(line, {})),
      ],
    };
    const attachment = {
      contentType: 'application/vnd.microsoft.card.adaptive',
      contentUrl: null,
      content: card,
    };
    const body = JSON.stringify({ type: 'message', summary: title, attachments: [attachment] });
    return await post({ url, body }, context);
  },
};

function fitting(lines: readonly string[]): string[] {
  const more = lines.length - MOST_LINES;
  const shown = more > 0 ? [...lines.slice(0, MOST_LINES), `… and ${more} lines more`] : lines;
  return clipped(shown.join('\n'), MOST_BYTES).split('\n');
}

/** Runs of text, unlike text blocks, are shown as they are: nobody's asterisks and brackets become markup. */
function paragraph(text: string, looks: Readonly<Record<string, string>>) {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text, ...looks }] };
}
