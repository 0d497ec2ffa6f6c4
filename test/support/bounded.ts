import { runInNewContext } from 'node:vm';

/** Runs code that a mistake would make run for ages: an error then, not a hung test run. */
export function bounded<T>(act: () => T): T {
  return runInNewContext('act()', { act }, { timeout: 5_000 }) as T;
}
