import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Most of them wait for processes and sockets: one worker on two cores would leave both idle.
    maxWorkers: 2,
    // Real sockets and processes on a small machine: this bounds a hang, it times nothing.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
