/** What the scripts' threads may take, together and each. */

/** So many threads run scripts at once; who comes later waits. Those that only wait for an answer do not count. */
export const MOST_THREADS = 8;
/** But for the memory that they take: so many there are in all. */
export const MOST_IN_ALL = 24;
/** How often it is looked whether one only waits while others want a thread, ms. */
export const LOOK_EVERY_MS = 50;
/** What a script may hold in memory, buffers included. */
export const LIMIT_BYTES = 64 * 1024 * 1024;
/** How often a thread's memory is looked at, ms. */
export const PULSE_MS = 25;
/** What a script that ignores its signal gets before its thread is ended, ms. */
export const GRACE_MS = 100;
/**
 * What a thread gets, from the timeout on, to load a script, ms. It is not ended at once: the next attempt would have to
 * load it, too, and would be too late again.
 */
export const LOADING_MS = 10_000;
/** After so long without work a thread is ended, ms. */
export const IDLE_MS = 60_000;
/** How far scripts step back behind the agent, as nice values go. */
export const NICE = 10;
/** A thread that was told to go and is there after so long is stuck in a call, ms. */
export const STUCK_MS = 1_000;
/** A script that has destroyed so many threads in a row rests before it gets another. */
export const STRIKES = 3;
/** It rests no longer, ms. */
export const LONGEST_REST_MS = 60_000;
/** An idle thread whose loop has not come round for so long works on behind its answer, ms. */
export const RESTLESS_MS = 1_000;
