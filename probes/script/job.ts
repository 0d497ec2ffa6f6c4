import type { MessagePort } from 'node:worker_threads';
import type { Outcome } from '../../src/core/outcome.ts';

/** What the main thread and a script's thread tell each other. */

/** What a thread gets when it starts. */
export interface ThreadData {
  readonly port: MessagePort;
  /** Numbers that both sides see, by the indexes below. */
  readonly pulse: Int32Array;
}

/** How often the thread's loop has come round. */
export const TURNS = 0;
/** How much memory it uses, KiB, as of then. */
export const USED_KIB = 1;
/** What the system calls it; 0 where that cannot be told. */
export const SYSTEM_ID = 2;
export const PULSE_LENGTH = 3;

/** What a thread says carries the id of its job: nobody else can answer for it. */
export interface Named {
  readonly id: string;
}

export interface Job extends Named {
  readonly file: string;
  /** What stands under `with`, as JSON: a text is cheap to hand over and to compare. */
  readonly given: string;
  readonly target: string;
  readonly timeoutMs: number;
  /** Whether somebody wants to see what the script prints. */
  readonly traced: boolean;
}

export type ToThread = Job | 'abort';

/** What a thread says; it goes over as one JSON text, so that its size can be seen before it is read. */
export type FromThread =
  /** The script is loaded, its settings are good, and its attempt begins. */
  { readonly kind: 'begun' } | { readonly kind: 'printed'; readonly text: string } | Answer;

export type Answer = { readonly retire: boolean } & (
  | { readonly kind: 'returned'; readonly outcome: Outcome }
  /** Something is wrong that a message explains: there is no such file, the settings are refused, that is no outcome. */
  | { readonly kind: 'unusable'; readonly message: string }
  | { readonly kind: 'threw'; readonly errors: readonly Thrown[] }
  /** The time was over before the attempt could begin. */
  | { readonly kind: 'late' }
  /** The file is not what this thread has loaded. */
  | { readonly kind: 'stale' }
);

/** An error with its causes, the outermost first. */
export interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly code: string;
  readonly syscall: string;
}

/** No text is longer: more than the longest outcome takes, of which JSON writes every character as six. */
export const LONGEST_TEXT = 512 * 1024;
