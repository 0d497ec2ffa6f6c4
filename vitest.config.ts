import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Most of them wait for processes and sockets: one worker on two cores would leave both idle.
    maxWorkers: 2,
    // Real sockets and processes on a small machine: this bounds a hang, it times nothing.
    expect: { poll: { timeout: 60_000 } },
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
