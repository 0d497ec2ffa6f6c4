import { type Logger, destination, pino, stdTimeFunctions } from 'pino';
import { paintFor } from './style.ts';
import { type LogRecord, renderRecord } from './terminal-log.ts';

export type Format = 'auto' | 'json' | 'text';

/** Lines of JSON that a stuck reader of our output has not taken, in bytes; beyond it they are dropped. */
const MAX_UNREAD = 8 * 2 ** 20;

export interface Log {
  readonly log: Logger;
  /** Writes out what is still in memory: for the last moment. */
  flush(): void;
}

/** The log on stdout: for people on a terminal, JSON lines otherwise. */
export function createLog(format: Format, level: string): Log {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (format === 'text' || (format === 'auto' && process.stdout.isTTY)) {
    const paint = paintFor(process.stdout);
    const write = (line: string): void => {
      process.stdout.write(`${renderRecord(JSON.parse(line) as LogRecord, paint)}\n`);
    };
    return { log: pino(options, { write }), flush: () => {} };
  }
  // Asynchronous: whoever reads our output slowly must not hold up the probes.
  const out = destination({ dest: 1, sync: false, maxLength: MAX_UNREAD });
  out.on('error', () => {});
  return {
    log: pino(options, out),
    flush() {
      try {
        out.flushSync();
      } catch {
        // Nobody reads any more.
      }
    },
  };
}
