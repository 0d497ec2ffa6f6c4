import { z } from 'zod';
import type { Facts } from '../../src/core/outcome.ts';
import { type Exit, firstLine } from '../../src/process/command.ts';

const LONGEST_MESSAGE = 500;
/** As many as a script may return. */
const MOST_FACTS = 100;

export interface Report {
  readonly message: string;
  readonly facts: Facts | undefined;
}

/** What a run said: a JSON object as the whole output, else its first line, with performance data behind bars. */
export function report(exit: Exit): Report {
  const { message, facts } = jsonReport(exit.stdout) ?? textReport(exit);
  return { message: message.slice(0, LONGEST_MESSAGE), facts };
}

/**
 * Monitoring Plugins Development Guidelines, "Plugin Output for Nagios": the first line may have performance data behind
 * a bar; of the lines after it, what stands behind the next bar is performance data up to the end.
 */
function textReport(exit: Exit): Report {
  const [message, inFirst] = cut(firstLine(exit, Infinity));
  const facts = perfdata(inFirst, behindBar(linesAfterFirst(exit.stdout)));
  return { message: message.trim(), facts: facts.size > 0 ? Object.fromEntries(facts) : undefined };
}

function cut(line: string): [before: string, after: string] {
  const bar = line.indexOf('|');
  return bar === -1 ? [line, ''] : [line.slice(0, bar), line.slice(bar + 1)];
}

function behindBar(text: string): string {
  return cut(text)[1];
}

function linesAfterFirst(stdout: string): string {
  const text = stdout.trimStart();
  const end = text.indexOf('\n');
  return end === -1 ? '' : text.slice(end + 1);
}

const jsonOutput = z.looseObject({
  message: z.string().default(''),
  facts: z.record(z.string(), z.unknown()).default({}),
});

function jsonReport(stdout: string): Report | undefined {
  if (!stdout.trimStart().startsWith('{')) return undefined;
  try {
    const parsed = jsonOutput.safeParse(JSON.parse(stdout));
    if (!parsed.success) return undefined;
    const { message, facts } = parsed.data;
    // `"lag": null` must not cost the other facts.
    const entries = Object.entries(facts).filter(([, value]) => isFact(value)) as [string, Facts[string]][];
    return {
      message,
      facts: entries.length > 0 ? Object.fromEntries(entries.slice(0, MOST_FACTS)) : undefined,
    };
  } catch {
    return undefined;
  }
}

function isFact(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/**
 * `'label with spaces'=42MB;warn;crit;min;max` -> 42; the unit and the limits stay behind, and `U`, which stands for a
 * value that could not be told, yields nothing. Some locales write a comma. What is not such an entry is skipped word
 * by word: to search for the next one from every character would take quadratic time.
 */
const PERFDATA =
  /\s*(?:(?:'((?:[^']|'')+)'|([^\s'=]+))=(?!0[xX])([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\S*|\S+)/gy;

function perfdata(...texts: readonly string[]): Map<string, number> {
  const facts = new Map<string, number>();
  for (const text of texts) {
    for (const [, quoted, plain, value] of text.matchAll(PERFDATA)) {
      if (value === undefined) continue;
      const label = (quoted ?? plain)!.replaceAll("''", "'");
      if (facts.size < MOST_FACTS || facts.has(label)) facts.set(label, Number(value.replace(',', '.')));
    }
  }
  return facts;
}
