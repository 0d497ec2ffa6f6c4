import { basename } from 'node:path';
import { type Outcome, type Reason, fail, voided } from '../../src/core/outcome.ts';
import { formatSize } from '../../src/core/units.ts';
import { outcomeOf } from '../wire/reason.ts';
import type { Answer, Thrown } from './job.ts';
import { LIMIT_BYTES, STRIKES } from './limits.ts';
import { NoOutcome, outcomeFrom } from './returned.ts';
import type { Death } from './thread.ts';

/**
 * What an attempt's end says. An error of the system that speaks of the target is a failure, as in our own probes. Any
 * other error is a bug of the script: it is thrown on, with the script's stack, and the runner makes it `void`.
 */
export function judge(answer: Answer | Death, file: string): Outcome {
  const script = basename(file);
  switch (answer.kind) {
    case 'returned':
      return returned(answer.outcome, script);
    case 'threw':
      return threw(answer.errors, script);
    case 'unusable':
      return voided(answer.message);
    case 'uncaught':
      throw bugOf(script, 'threw outside of its attempt', answer.error);
    case 'exit':
      return voided(`our own trouble: ${script} ended its thread, exit ${answer.code}`);
    case 'memory':
      return voided(`our own trouble: ${script} took more memory than ${formatSize(LIMIT_BYTES)}`);
    case 'stuck':
      return voided('our own trouble: all threads for scripts are stuck in calls that cannot be interrupted');
    case 'resting':
      return voided(
        `our own trouble: ${script} has crashed, looped or leaked ${STRIKES} times in a row, and rests`,
      );
    case 'blocked':
    case 'garbled':
    case 'late':
    case 'stale':
    case 'ended':
      return voided(`our own trouble: ${script} gave no answer (${answer.kind})`);
  }
}

/** Checked once more: what comes over is whatever the script's thread made of it. */
function returned(outcome: unknown, script: string): Outcome {
  try {
    return outcomeFrom(outcome);
  } catch (error) {
    if (error instanceof NoOutcome) return voided(`${script} ${error.message}`);
    throw error;
  }
}

/** Errors of undici, which is what `fetch` is, and of timeouts that a script set itself. */
const REASON_OF_OTHERS: Readonly<Record<string, Reason>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_SOCKET: 'closed',
  HTTPParserError: 'protocol',
  TimeoutError: 'timeout',
};

function threw(errors: readonly Thrown[], script: string): Outcome {
  // `fetch` wraps what happened; the cause says it.
  for (const error of errors) {
    const outcome = outcomeOfThrown(error);
    if (outcome) return outcome;
  }
  throw bugOf(script, 'threw', errors[0]);
}

function outcomeOfThrown({ name, message, code, syscall }: Thrown): Outcome | undefined {
  const reason = REASON_OF_OTHERS[code] ?? REASON_OF_OTHERS[name];
  if (reason) return fail(reason, message);
  // A file that is not there says nothing of the target; a socket that is not there does.
  if (/^(ENOENT|ENOTSOCK|EAGAIN)$/.test(code) && syscall !== 'connect') return undefined;
  try {
    return outcomeOf(Object.assign(new Error(message), { code }));
  } catch {
    return undefined;
  }
}

function bugOf(script: string, how: string, thrown: unknown): Error {
  const { name, message, stack } = Object(thrown) as Readonly<Record<string, unknown>>;
  const said = typeof message === 'string' ? message : wordsOf(thrown);
  const what = typeof name === 'string' && name !== '' ? `${name}: ${said}` : said;
  const error = new Error(`${script} ${how}: ${what}`.slice(0, 500));
  // Where in the script it happened, not where in here.
  error.stack = `${error.message}\n${typeof stack === 'string' ? stack.slice(0, 8_000) : ''}`;
  return error;
}

function wordsOf(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null ? 'an object that is no error' : String(thrown);
}
