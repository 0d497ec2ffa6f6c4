import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { costs } from './costs.ts';
import { lateness } from './lateness.ts';

/**
 * What a script that loops, one that leaks and one that crashes cost everybody else, and what a script costs at all:
 * `npm run bench:scripts -- [--rounds 5] [--seconds 10] [--targets 500] [--scripts loops,leaks,crashes]`.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '10' },
    targets: { type: 'string', default: '500' },
    scripts: { type: 'string', default: 'loops,leaks,crashes' },
  },
});

const BODIES = {
  fine: `return ok('fine', { lag_ms: 3 })`,
  loops: 'for (;;);',
  leaks: 'const kept = []; for (;;) kept.push({ a: [1, 2, 3] });',
  crashes: `setTimeout(() => { throw new Error('crash') }); await new Promise(() => {});`,
};

// The scripts' threads keep nobody alive.
const awake = setInterval(() => {}, 2 ** 30);
const dir = mkdtempSync(join(tmpdir(), 'vitald-bench-'));
for (const [name, body] of Object.entries(BODIES)) {
  writeFileSync(
    join(dir, `${name}.mjs`),
    `import { defineProbe, ok } from 'vitald'; export default defineProbe({ async attempt() { ${body} } });`,
  );
}
await costs(join(dir, 'fine.mjs'));
const farm = fork(new URL('farm.js', import.meta.url));
const [port] = (await once(farm, 'message')) as [number];
await lateness({
  dir,
  port,
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  targets: Number(values.targets),
  scripts: values.scripts.split(','),
});
farm.disconnect();
rmSync(dir, { recursive: true });
clearInterval(awake);
