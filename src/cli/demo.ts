import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config/load.ts';
import type { State } from '../core/health.ts';
import type { Observer } from '../core/observer.ts';
import type { Step } from '../core/step.ts';
import { UsageError, parse } from './args.ts';
import { startDemoNodes } from './demo-nodes.ts';
import { createLog } from './logger.ts';
import type { Command } from './main.ts';
import { runAgent } from './run.ts';
import { paintFor } from './style.ts';

const HERO = 'orders-api';
/** What has to happen to the hero. */
const STORY = ['crash', 'suspect', 'down', 'restart', 'recovering', 'up'] as const;
type Chapter = (typeof STORY)[number];

/** The whole story, from the start, has to be over by then, ms. */
const STORY_WITHIN_MS = 20_000;
/** Between two crashes, ms. */
const PEACE_MS = 15_000;

const TEXT: Readonly<Record<Chapter, string>> = {
  crash: `${HERO} crashes now. Nobody has told the agent.`,
  suspect: 'One failed attempt is no verdict: the agent looks again, at shorter intervals.',
  down: 'Three failures in a row: an incident opens, ops hears of it. One last look, then the first step is tried.',
  restart: 'The step says that it has restarted the node. That is its word; the probe has the last one.',
  recovering: 'A good answer. It has to stay good before that counts.',
  up: 'The probe that raised the alarm has verified the recovery: now it is up, and the incident is closed.',
};

const INTRODUCTION = `
  A handful of local nodes, watched as targets.example.yaml says: http, tcp, grpc and a command.
  search is slow, which is fine. reports hangs: it accepts connections and never answers.
  In a moment, ${HERO} will die.
`;

export const demo: Command = {
  synopsis: '[--story]',
  summary: 'Starts a few local nodes, watches them, and lets one of them die.',
  options: ['--story   end after one story: exit 0 if it came true, 1 if not'],

  async run(args) {
    const { values, positionals } = parse(args, { story: { type: 'boolean' } });
    if (positionals.length > 0) throw new UsageError('demo takes no arguments');
    const nodes = await startDemoNodes();
    Object.assign(process.env, nodes.env);
    const paint = paintFor(process.stdout);
    const end = new AbortController();
    const log = createLog('text', 'info');
    const narrate = (text: string): void => log.print(`${paint(['bold', 'cyan'], `\n  ${text}`)}\n\n`);
    log.print(`${paint('bold', '\n  vitald: detect, decide, recover, verify')}${INTRODUCTION}\n`);

    const story = tellStory(nodes.crashOrders, (chapter) => narrate(TEXT[chapter]), {
      onEnd(cameTrue) {
        narrate(cameTrue ? farewell(values.story === true) : 'The story did not come true in time.');
        if (values.story || !cameTrue) end.abort();
      },
    });
    try {
      await runAgent([exampleFile()], log, {
        keepsState: false,
        adjust: impatient,
        observers: [story.observer],
        stopSignal: end.signal,
      });
    } finally {
      story.stop();
      await nodes.close();
    }
    return story.failed() ? 1 : 0;
  },
};

/** Two good answers, a second apart at least. */
const VERIFY = { successes: 2, withinMs: 10_000, stableMs: 1_000 };

/** The same story again and again: nobody waits for cool-downs or half a minute of good answers, and no ladder is ever used up. */
function impatient(config: Config): Config {
  const { brakes, ladders } = config.recovery;
  const often = [...ladders].map(([name, steps]): [string, readonly Step[]] => [
    name,
    steps.map((step) => ({ ...step, attempts: 1_000_000 })),
  ]);
  const loose = { ...brakes, startGraceMs: 0, coolDownMs: 0, coolDownMaxMs: 0, perDay: 1_000_000 };
  const targets = config.targets.map((one) => ({ ...one, policy: { ...one.policy, verify: VERIFY } }));
  return { ...config, targets, recovery: { ...config.recovery, ladders: new Map(often), brakes: loose } };
}

function farewell(last: boolean): string {
  return last ? 'That was the story.' : `It goes on, and ${HERO} will die again. Ctrl-C ends it.`;
}

/** Next to package.json, from the sources as well as from dist/. */
function exampleFile(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'targets.example.yaml'))) directory = dirname(directory);
  return join(directory, 'targets.example.yaml');
}

/** Crashes the hero once the scene is set, and follows what the agent makes of it. */
function tellStory(
  crash: () => void,
  say: (chapter: Chapter) => void,
  { onEnd }: { onEnd: (cameTrue: boolean) => void },
): { observer: Observer; stop(): void; failed(): boolean } {
  const seen = new Set<Chapter>();
  let begun = false;
  let failed = false;
  const states = new Map<string, State>();
  const deadline = setTimeout(() => finish(false), STORY_WITHIN_MS);
  let peace: NodeJS.Timeout | undefined;

  function happened(chapter: Chapter): void {
    if (!begun || seen.has(chapter)) return;
    seen.add(chapter);
    // The log line first, then what it means.
    setImmediate(() => {
      say(chapter);
      if (chapter === 'up') finish(seen.size === STORY.length);
    });
  }

  function begin(): void {
    begun = true;
    seen.clear();
    happened('crash');
    crash();
  }

  function finish(cameTrue: boolean): void {
    clearTimeout(deadline);
    failed ||= !cameTrue;
    onEnd(cameTrue);
    peace = setTimeout(begin, PEACE_MS);
  }

  /** Everyone has been heard of, and the one that hangs has been found out. */
  function sceneIsSet(): boolean {
    const settled = [...states.values()].every((state) => state === 'up' || state === 'down');
    return settled && states.get('reports') === 'down' && states.get(HERO) === 'up';
  }

  return {
    observer: {
      onAttempt(target, _attempt, { state }) {
        states.set(target.name, state);
        if (!begun && sceneIsSet()) begin();
      },
      onTransition(target, { to, from }) {
        if (target.name !== HERO) return;
        if (to === 'suspect' || to === 'down' || to === 'recovering') happened(to);
        if (to === 'up' && from === 'recovering') happened('up');
      },
      onRecovery(report) {
        if (report.what === 'acted' && report.target === HERO) happened('restart');
      },
    },
    stop() {
      clearTimeout(deadline);
      clearTimeout(peace);
    },
    failed: () => failed,
  };
}
