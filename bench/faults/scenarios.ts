import { spawn } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import type { Tool } from './tools.ts';
import type { World } from './world.ts';

/** One fault, brought about for real. */
export interface Scenario {
  readonly id: string;
  readonly what: string;
  /** Whether the victims ought to be found down. Where they are spared, any verdict of down is a false one. */
  readonly effect: 'kills' | 'spares' | 'flaps';
  readonly victims?: number;
  readonly bystanders?: number;
  /** The tools get a wall clock of their own. */
  readonly ownClock?: boolean;
  /** Brings it about, and resolves when it has been watched for long enough. */
  run(world: World, tools: readonly Tool[]): Promise<void>;
}

const SECOND = 1_000;
/** Nobody takes longer, ms. */
const FOUND_MS = 20 * SECOND;

function signalAll(tools: readonly Tool[], signal: NodeJS.Signals): void {
  for (const tool of tools) tool.signal(signal);
}

function kills(id: string, what: string, fault: (world: World) => void, counts = {}): Scenario {
  return {
    id,
    what,
    effect: 'kills',
    ...counts,
    async run(world) {
      fault(world);
      await wait(FOUND_MS);
    },
  };
}

function spares(id: string, what: string, run: Scenario['run']): Scenario {
  return { id, what, effect: 'spares', run };
}

/** The victims fail and serve in turn. A verdict of down is no mistake then; what counts is how much comes of it. */
function flaps(seconds: number, times: number): Scenario {
  const run: Scenario['run'] = async (world) => {
    for (let time = 0; time < times; time++) {
      for (const status of [503, 200]) {
        world.behave({ status, delayMs: 5 });
        await wait(seconds * SECOND);
      }
    }
    await wait(10 * SECOND);
  };
  const what = `flap: ${seconds} s down, ${seconds} s up, ${times} times`;
  return { id: 'F9', what, effect: 'flaps', run };
}

/** The agent is stopped, and then watched until whatever it makes of that must have shown. */
function pause(seconds: number): Scenario {
  return spares('F10', `agent stopped for ${seconds} s`, async (_world, tools) => {
    signalAll(tools, 'SIGSTOP');
    await wait(seconds * SECOND);
    signalAll(tools, 'SIGCONT');
    await wait(20 * SECOND);
  });
}

export const SCENARIOS: readonly Scenario[] = [
  kills('F1', 'crash: kill -9', (world) => world.signalVictims('SIGKILL')),
  kills('F2', 'error: status 503', (world) => world.behave({ status: 503, delayMs: 5 })),
  kills('F3', 'hang: SIGSTOP', (world) => world.signalVictims('SIGSTOP')),
  kills('F4', 'dead host: packets dropped', (world) => world.drop(100, world.victims)),
  spares('F5', 'slow: 50 ms, then 500 ms', async (world) => {
    world.behave({ status: 200, delayMs: 50 });
    await wait(20 * SECOND);
    world.behave({ status: 200, delayMs: 500 });
    await wait(20 * SECOND);
  }),
  ...[1, 5, 20].map((percent) =>
    spares('F6', `${percent} % of packets lost`, async (world) => {
      world.drop(percent, world.victims);
      await wait(60 * SECOND);
    }),
  ),
  spares('F8', 'server stalls of 2 s, every 6 s', async (world) => {
    for (let stall = 0; stall < 10; stall++) {
      world.signalVictims('SIGSTOP');
      await wait(2 * SECOND);
      world.signalVictims('SIGCONT');
      await wait(4 * SECOND);
    }
  }),
  flaps(3, 20),
  flaps(10, 6),
  flaps(30, 6),
  pause(1),
  pause(5),
  pause(15),
  pause(60),
  spares('F11', 'agent starved of CPU for 60 s', async () => {
    // Two for each core, and the agents beside them.
    const hogs = Array.from({ length: 4 }, () => spawn('sh', ['-c', 'while :; do :; done']));
    await wait(60 * SECOND);
    for (const hog of hogs) hog.kill('SIGKILL');
    await wait(5 * SECOND);
  }),
  {
    ...spares('F12', 'wall clock set by 1 h, back and forth', async (_world, tools) => {
      for (const seconds of [3_600, 0, -3_600, 0]) {
        for (const tool of tools) tool.setClock(seconds);
        await wait(10 * SECOND);
      }
    }),
    ownClock: true,
  },
  spares('F13', 'all of the network gone for 60 s', async (world) => {
    world.drop(100);
    await wait(60 * SECOND);
    world.drop(0);
    await wait(10 * SECOND);
  }),
  kills('F14', '90 of 300 hang', (world) => world.signalVictims('SIGSTOP'), { victims: 90, bystanders: 210 }),
  kills('F14', '180 of 300 hang', (world) => world.signalVictims('SIGSTOP'), {
    victims: 180,
    bystanders: 120,
  }),
  kills('F14', '300 of 300 hang', (world) => world.signalVictims('SIGSTOP'), { victims: 300, bystanders: 1 }),
];
