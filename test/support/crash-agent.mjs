// An agent that kills itself with SIGKILL at the nth step boundary: `node crash-agent.mjs TARGETS.yaml N`. With N = 0 it
// goes on until nothing is left to do, and ends. Plain JavaScript on the build: it runs as a process of its own.
import { existsSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { createAgent } from '../../dist/src/agent.js';
import { loadConfig } from '../../dist/src/config/load.js';
import { hooks } from '../../dist/src/hooks/index.js';
import { createSystemClock } from '../../dist/src/runtime/system-clock.js';
import { steps } from '../../dist/src/steps/index.js';
import { createRecorder } from '../../dist/src/store/recorder.js';
import { openStore } from '../../dist/src/store/store.js';

const [file, nth] = process.argv.slice(2);
const dieAt = Number(nth);
const QUIET_LOOK_MS = 100;
let passed = 0;

/** Here it may end. */
function boundary(name) {
  if (++passed !== dieAt) return;
  writeSync(1, `${name}\n`);
  process.kill(process.pid, 'SIGKILL');
}

/** Up for as long as the file is there: cheap enough for hundreds. */
const there = {
  kind: 'there',
  settings: z.string(),
  attempt: async (path) =>
    existsSync(path)
      ? { status: 'ok', message: 'there' }
      : { status: 'fail', reason: 'refused', message: 'gone' },
};

const watched = Object.fromEntries(
  Object.entries(steps).map(([kind, step]) => [
    kind,
    {
      ...step,
      async act(settings, action, context) {
        boundary('before the step');
        const result = await step.act(settings, action, context);
        boundary('after the step');
        return result;
      },
    },
  ]),
);

const config = loadConfig([file], { probes: { there }, hooks, steps: watched, env: process.env });
const clock = createSystemClock();
const trouble = (what) => writeSync(2, `${what}\n`);
const opened = await openStore({ path: config.state, clock, onTrouble: trouble, onBack: trouble });
const store = {
  ...opened,
  put(table, key, row) {
    opened.put(table, key, row);
    // That one of hundreds is up is no step of anything.
    if (table !== 'timeline' && !(table === 'target' && row.state === 'up')) boundary(`put ${table}`);
  },
  async commit() {
    const done = opened.commit();
    boundary('commit');
    const ok = await done;
    boundary('committed');
    return ok;
  },
};

const agent = createAgent({
  probes: { there },
  hooks,
  steps: watched,
  isDryRun: false,
  clock,
  random: Math.random,
  store,
  observers: [
    createRecorder({ store, clock }),
    {
      onTransition: (_target, { to }) => boundary(`transition to ${to}`),
      onNews: (_subject, { event }) => boundary(`news ${event}`),
      onHookStart: () => boundary('hook start'),
      onHook: () => boundary('hook end'),
      onRecovery: ({ what }) => boundary(`recovery ${what}`),
      onTrouble: (what, detail) => trouble(`${what}: ${detail}`),
    },
  ],
});
agent.apply(config);

async function endWhenQuiet() {
  const isQuiet =
    agent.snapshot().every(({ health }) => health.state === 'up') &&
    [...opened.kept('action').values()].every(({ outcome }) => outcome !== null) &&
    [...opened.kept('delivery').values()].every(({ state }) => state !== 'waiting');
  if (!isQuiet) return;
  await agent.stop();
  await opened.close();
  process.exit(0);
}
setInterval(() => void endWhenQuiet(), QUIET_LOOK_MS);
