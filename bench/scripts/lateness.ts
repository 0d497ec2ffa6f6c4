import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { probes } from '../../probes/index.ts';
import { createAgent } from '../../src/agent.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { reasonOf } from '../../src/core/outcome.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { createMemoryStore } from '../../src/store/memory.ts';
import { quantile, write } from './numbers.ts';

export interface Options {
  /** Where the scripts are, and where the configurations go. */
  readonly dir: string;
  /** Of the node that the ordinary targets ask. */
  readonly port: number;
  readonly rounds: number;
  readonly seconds: number;
  /** How many ordinary targets. */
  readonly targets: number;
  /** The scripts beside them, by name. */
  readonly scripts: readonly string[];
}

interface Round {
  /** Of the ordinary targets' starts, ms. */
  readonly late: readonly number[];
  readonly bad: number;
  readonly said: ReadonlyMap<string, number>;
  readonly cores: number;
  /** For how long the main thread ran, and waited for a core, ms in a second. */
  readonly ran: number;
  readonly waited: number;
}

/** Rounds without and with the scripts alternate, so that what else the machine does falls on both alike. */
export async function lateness({ dir, port, rounds, seconds, targets, scripts }: Options): Promise<void> {
  const ordinary = Array.from({ length: targets }, (_, i) => ({
    name: `h${i}`,
    http: `http://127.0.0.1:${port}/`,
  }));
  const configOf = (name: string, list: readonly object[]): Config => {
    const file = join(dir, name);
    const defaults = { interval: '1s', timeout: '800ms' };
    const concurrency = { total: 1024, per_host: 1024 };
    writeFileSync(
      file,
      JSON.stringify({ defaults, concurrency, state: 'off', anchors: 'off', targets: list }),
    );
    return loadConfig([file], { probes, hooks: {}, steps: {}, env: {} });
  };
  const configs = {
    without: configOf('without.yaml', ordinary),
    with: configOf('with.yaml', [...ordinary, ...scripts.map((name) => ({ name, script: `./${name}.mjs` }))]),
  };

  let late: number[] = [];
  let bad = 0;
  let said = new Map<string, number>();
  const agent = createAgent({
    probes,
    hooks: {},
    steps: {},
    isDryRun: false,
    clock: createSystemClock(),
    random: Math.random,
    store: createMemoryStore(Date.now()),
    observers: [
      {
        onStart: ({ probe }, ms) => void (probe.kind === 'http' && late.push(ms)),
        onAttempt({ name, probe }, { outcome }) {
          if (probe.kind === 'http') {
            bad += outcome.status === 'ok' ? 0 : 1;
            return;
          }
          const how = [`${name}:`, outcome.status, reasonOf(outcome)].filter(Boolean).join(' ');
          said.set(how, (said.get(how) ?? 0) + 1);
        },
      },
    ],
  });

  async function round(config: Config): Promise<Round> {
    agent.apply(config);
    // The targets that came in start, and their first threads.
    await sleep(2_000);
    late = [];
    bad = 0;
    said = new Map();
    const cpu = process.cpuUsage();
    const [ranBefore, waitedBefore] = mainThread();
    await sleep(seconds * 1_000);
    const { user, system } = process.cpuUsage(cpu);
    const [ran, waited] = mainThread();
    return {
      // What starts from now on belongs to nobody's round.
      late: late.slice(),
      bad,
      said,
      cores: (user + system) / seconds / 1e6,
      ran: (ran - ranBefore) / seconds / 1e6,
      waited: (waited - waitedBefore) / seconds / 1e6,
    };
  }

  write(
    `${targets} HTTP targets at 1 s, ${rounds} rounds of ${seconds} s each way; lateness of their starts, ms`,
  );
  const all = { without: [] as Round[], with: [] as Round[] };
  for (let i = 0; i < rounds; i++) {
    for (const way of ['without', 'with'] as const) {
      const one = await round(configs[way]);
      all[way].push(one);
      print(way, one);
    }
  }
  printPairs(all);
  await agent.stop();
}

function print(way: string, { late, bad, said, cores, ran, waited }: Round): void {
  const ms = (q: number): string => quantile(late, q).toFixed(2).padStart(6);
  const counts = [...said].map(([how, count]) => `${how} x${count}`);
  write(
    `${way.padEnd(8)} p50 ${ms(0.5)}  p99 ${ms(0.99)}  max ${ms(1)}  starts ${late.length}  not ok ${bad}  ` +
      `cores ${cores.toFixed(2)}  main thread ran ${ran.toFixed(0)} and waited ${waited.toFixed(0)} ms/s  ${counts.join(', ')}`,
  );
}

function printPairs(all: { readonly without: readonly Round[]; readonly with: readonly Round[] }): void {
  const figures: Readonly<Record<string, (round: Round) => number>> = {
    p50: ({ late }) => quantile(late, 0.5),
    p99: ({ late }) => quantile(late, 0.99),
    ran: ({ ran }) => ran,
    waited: ({ waited }) => waited,
    cores: ({ cores }) => cores,
  };
  for (const [name, figure] of Object.entries(figures)) {
    const [without, beside] = [all.without.map(figure), all.with.map(figure)];
    const differences = beside.map((value, i) => (value - without[i]!).toFixed(2));
    write(
      `${name.padEnd(6)} without ${quantile(without, 0.5).toFixed(2)}, with ${quantile(beside, 0.5).toFixed(2)} ` +
        `(medians of the rounds); differences ${differences.join(' ')}`,
    );
  }
}

/** For how long it has run, and for how long it has waited for a core, ns; Linux only. */
function mainThread(): [ran: number, waited: number] {
  try {
    const [ran, waited] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ');
    return [Number(ran), Number(waited)];
  } catch {
    return [Number.NaN, Number.NaN];
  }
}
