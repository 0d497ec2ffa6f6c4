import { combine, type Observer } from '../../src/core/observer.ts';

/** Writes down what it is told, a line each. */
export function recorder(): {
  readonly observer: Required<Observer>;
  readonly lines: string[];
  of(word: string): string[];
} {
  const lines: string[] = [];
  const observer = combine([
    {
      onStart: ({ name }, lateness) => lines.push(`start ${name} ${lateness}`),
      onAttempt: ({ name }, { outcome }, { state }) =>
        lines.push(`attempt ${name} ${outcome.status} ${state}`),
      onTransition: ({ name }, { from, to, event }) =>
        lines.push(`transition ${name} ${from} -> ${to}${event ? ` (${event})` : ''}`),
      onNews: ({ name }, { event, message }) => lines.push(`news ${name} ${event} ${message}`),
      onContract: ({ name }, { rules, kept }) =>
        lines.push(`contract ${name} ${rules.intervalMs}${kept ? '' : ' not kept'}`),
      onMissed: ({ name }, count) => lines.push(`missed ${name} ${count}`),
      onHookStart: ({ target, hook, event }) => lines.push(`hook-start ${target} ${hook} ${event.event}`),
      onHookRetry: ({ target, hook, tries, detail, pauseMs }) =>
        lines.push(`hook-retry ${target} ${hook} ${tries} ${pauseMs} ${detail}`),
      onHook: ({ target, hook, event, ok, tries, detail }) =>
        lines.push(`hook ${target} ${hook} ${event.event} ${ok ? 'ok' : 'failed'} ${tries} ${detail}`),
      onDoubt: ({ doubtful, score }, because) =>
        lines.push(`doubt ${doubtful ? `begins ${because}` : 'ends'} ${score}`),
      onTrouble: (what, detail) => lines.push(`trouble ${what} ${detail.split('\n', 1)[0]}`),
    },
  ]);
  return { observer, lines, of: (word) => lines.filter((line) => line.startsWith(`${word} `)) };
}
