// What a script that loops, one that leaks and one that crashes cost everybody else, and what a script costs at all.
//
//   npm run bench:scripts [-- --rounds 5 --seconds 10 --targets 500 --scripts loops,leaks,crashes]
//
// One agent watches ordinary HTTP targets at 1 s. Rounds without and with the three scripts beside them alternate in
// one run, so that what else the machine does falls on both alike. The figure is the ratio of their lateness.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

if (process.argv[2] === 'farm') {
  const farm = createServer((_, response) => response.end('fine')).listen(0, '127.0.0.1', () => {
    process.send(farm.address().port);
  });
  process.on('disconnect', () => process.exit());
} else {
  await main();
}

async function main() {
  // The scripts' threads keep nobody alive.
  setInterval(() => {}, 2 ** 30);
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '10' },
      targets: { type: 'string', default: '500' },
      scripts: { type: 'string', default: 'loops,leaks,crashes' },
    },
  });
  const [rounds, seconds, targets] = [values.rounds, values.seconds, values.targets].map(Number);
  const dir = mkdtempSync(join(tmpdir(), 'vitald-bench-'));
  const write = (name, text) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };
  write('loops.mjs', script('for (;;);'));
  write('leaks.mjs', script('const kept = []; for (;;) kept.push({ a: [1, 2, 3] });'));
  write('crashes.mjs', script(`setTimeout(() => { throw new Error('crash') }); await new Promise(() => {});`));
  const fine = write('fine.mjs', script(`return ok('fine', { lag_ms: 3 })`));

  await costs(fine);
  const farm = fork(new URL(import.meta.url), ['farm']);
  const [port] = await once(farm, 'message');
  await lateness({ dir, port, rounds, seconds, targets, names: values.scripts.split(',') });
  farm.disconnect();
  process.exit();
}

function script(body) {
  return `import { defineProbe, ok } from 'vitald'; export default defineProbe({ async attempt() { ${body} } });`;
}

async function costs(file) {
  const { createPool } = await import('../dist/probes/script/pool.js');
  const { createSystemClock } = await import('../dist/src/runtime/system-clock.js');
  const clock = createSystemClock();
  const options = {
    signal: new AbortController().signal,
    clock,
    onQueued() {},
    onBegun() {},
    onPrinted() {},
  };
  const ask = (pool) =>
    pool.run({ file, given: '{"a":1}', target: 't', traced: false }, () => 1_000, options);

  // First of all: a process that has had threads takes less for the next ones.
  const threads = createPool();
  const before = process.memoryUsage.rss();
  await Promise.all(Array.from({ length: 8 }, () => ask(threads)));
  const each = (process.memoryUsage.rss() - before) / 8 / 2 ** 20;
  await threads.clear();

  const cold = [];
  for (let i = 0; i < 20; i++) {
    const pool = createPool();
    cold.push(await timed(() => ask(pool)));
    await pool.clear();
  }
  const pool = createPool();
  for (let i = 0; i < 500; i++) await ask(pool);
  const warm = [];
  for (let i = 0; i < 5_000; i++) warm.push(await timed(() => ask(pool)));
  const cpu = process.cpuUsage();
  for (let i = 0; i < 5_000; i++) await ask(pool);
  const { user, system } = process.cpuUsage(cpu);
  await pool.clear();

  console.log(`Node ${process.version}`);
  console.log(`a cold attempt   p50 ${quantile(cold, 0.5).toFixed(1)} ms, p99 ${quantile(cold, 0.99).toFixed(1)} ms`);
  console.log(
    `a warm attempt   p50 ${(quantile(warm, 0.5) * 1_000).toFixed(0)} us, p99 ${(quantile(warm, 0.99) * 1_000).toFixed(0)} us; ` +
      `CPU ${((user + system) / 5_000).toFixed(0)} us in both threads`,
  );
  console.log(`a warm thread    ${each.toFixed(1)} MiB resident\n`);
}

async function timed(run) {
  const at = performance.now();
  await run();
  return performance.now() - at;
}

async function lateness({ dir, port, rounds, seconds, targets, names }) {
  const { createAgent } = await import('../dist/src/agent.js');
  const { loadConfig } = await import('../dist/src/config/load.js');
  const { createSystemClock } = await import('../dist/src/runtime/system-clock.js');
  const { probes } = await import('../dist/probes/index.js');

  const ordinary = Array.from({ length: targets }, (_, i) => `  - { name: h${i}, http: "http://127.0.0.1:${port}/" }`);
  const scripts = names.map((name) => `  - { name: ${name}, script: ./${name}.mjs }`);
  const config = (name, lines) => {
    const file = join(dir, name);
    const head = 'defaults: { interval: 1s, timeout: 800ms }\nconcurrency: { total: 1024, per_host: 1024 }\nstate: off\ntargets:';
    writeFileSync(file, [head, ...lines].join('\n'));
    return loadConfig([file], { probes, hooks: {}, steps: {}, env: {} });
  };
  const without = config('without.yaml', ordinary);
  const beside = config('with.yaml', [...ordinary, ...scripts]);

  let late = [];
  let bad = 0;
  let attempts = {};
  const agent = createAgent({
    probes,
    hooks: {},
    clock: createSystemClock(),
    random: Math.random,
    observers: [
      {
        onStart: ({ probe }, ms) => probe.kind === 'http' && late.push(ms),
        onAttempt({ name, probe }, { outcome }) {
          if (probe.kind === 'http') bad += outcome.status === 'ok' ? 0 : 1;
          else (attempts[`${name}: ${outcome.status} ${outcome.reason ?? ''}`.trim()] ??= []).push(1);
        },
      },
    ],
  });
  async function round(config) {
    agent.apply(config);
    // The targets that came in start, and their first threads.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    late = [];
    bad = 0;
    attempts = {};
    const cpu = process.cpuUsage();
    const main = mainThread();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    const { user, system } = process.cpuUsage(cpu);
    const [ran, waited] = mainThread().map((value, i) => (value - main[i]) / seconds / 1e6);
    // What starts from now on belongs to nobody's round.
    const started = late.slice();
    const counts = Object.entries(attempts).map(([what, list]) => `${what} x${list.length}`);
    return { late: started, bad, counts, cores: (user + system) / seconds / 1e6, ran, waited };
  }

  console.log(`${targets} HTTP targets at 1 s, ${rounds} rounds of ${seconds} s each way; lateness of their starts, ms`);
  const all = { without: [], with: [] };
  for (let i = 0; i < rounds; i++) {
    for (const [name, config] of [['without', without], ['with', beside]]) {
      const { late, bad, counts, cores, ran, waited } = await round(config);
      all[name].push({ p50: quantile(late, 0.5), p99: quantile(late, 0.99), cores, ran, waited });
      console.log(
        `${name.padEnd(8)} p50 ${ms(late, 0.5)}  p99 ${ms(late, 0.99)}  max ${ms(late, 1)}  starts ${late.length}  not ok ${bad}  ` +
          `cores ${cores.toFixed(2)}  main thread ran ${ran.toFixed(0)} and waited ${waited.toFixed(0)} ms/s  ${counts.join(', ')}`,
      );
    }
  }
  for (const figure of ['p50', 'p99', 'ran', 'waited', 'cores']) {
    const [a, b] = [all.without, all.with].map((rounds) => quantile(rounds.map((one) => one[figure]), 0.5));
    const pairs = all.with.map((one, i) => (one[figure] - all.without[i][figure]).toFixed(2));
    console.log(
      `${figure.padEnd(6)} without ${a.toFixed(2)}, with ${b.toFixed(2)} (medians of the rounds); differences ${pairs.join(' ')}`,
    );
  }
  await agent.stop();
}

/** For how long it has run, and for how long it has waited for a core, ns; Linux only. */
function mainThread() {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ').slice(0, 2).map(Number);
  } catch {
    return [NaN, NaN];
  }
}

function ms(values, q) {
  return quantile(values, q).toFixed(2).padStart(6);
}

function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}
