import { type Logger, destination, pino, stdTimeFunctions } from 'pino';
import { paintFor } from './style.ts';
import { type LogRecord, renderRecord } from './terminal-log.ts';

export type Format = 'auto' | 'json' | 'text';

/** Lines of JSON that a stuck reader of our output has not taken, in bytes; beyond it they are dropped. */
const MAX_UNREAD = 8 * 2 ** 20;

export interface Log {
  readonly log: Logger;
  /** Text between the lines of the log, in their order. */
  print(text: string): void;
  /** Writes out what is still in memory, as far as its reader takes it within a moment. */
  flush(): Promise<void>;
}

/** What a reader that has stopped reading gets at the end, ms. */
const LAST_MOMENT_MS = 500;

/**
 * The log on stdout: for people on a terminal, JSON lines otherwise. Asynchronous in both forms: whoever reads our output
 * slowly, or not at all, must hold up neither the probes nor the end.
 */
export function createLog(format: Format, level: string): Log {
  let ending = false;
  const out = destination({
    dest: 1,
    sync: false,
    maxLength: MAX_UNREAD,
    retryEAGAIN: () => !ending,
  });
  out.on('error', () => {});
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const paint = paintFor(process.stdout);
  const forPeople = format === 'text' || (format === 'auto' && process.stdout.isTTY);
  const log = forPeople
    ? pino(options, {
        write: (line: string) => void out.write(`${renderRecord(JSON.parse(line) as LogRecord, paint)}\n`),
      })
    : pino(options, out);

  return {
    log,
    print: (text) => void out.write(text),
    flush: () =>
      new Promise((resolve) => {
        const giveUp = setTimeout(() => {
          // pino would try once more, for as long as it takes, when the process exits.
          ending = true;
          process.removeAllListeners('exit');
          resolve();
        }, LAST_MOMENT_MS);
        out.flush(() => {
          clearTimeout(giveUp);
          resolve();
        });
      }),
  };
}
