import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Libsql from 'libsql';
import { expect, test } from 'vitest';
import { randomFrom } from '../support/random.ts';

/** `CRASH_RUNS=200 npx vitest run test/cli/crash-matrix.test.ts` is the whole matrix; each run is a kill -9. */
const RUNS = Number(process.env['CRASH_RUNS'] ?? 15);
/** Boundaries from the start of a process within which it is killed. */
const WITHIN = 60;
const PER_GROUP_MS = 150;

const dir = mkdtempSync(join(tmpdir(), 'vitald-crash-'));
const file = join(dir, 'targets.yaml');
const names = Array.from({ length: 2 * RUNS }, (_, n) => `t${n}`);

/** A process to its end; where it died, or undefined where it ended by itself. */
function runAgent(dieAt: number): Promise<string | undefined> {
  const child = spawn(process.execPath, ['test/support/crash-agent.mjs', file, String(dieAt)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(said.trim());
      else if (code === 0) resolve(undefined);
      else reject(new Error(`the agent ended with ${code ?? signal}`));
    });
  });
}

function lines(name: string): string[] {
  try {
    return readFileSync(join(dir, name), 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

function rows(table: string): Record<string, unknown>[] {
  const db = new Libsql(join(dir, 'vitald.db'));
  const found = db.prepare(`SELECT row FROM ${table}`).all() as { row: string }[];
  db.close();
  return found.map(({ row }) => JSON.parse(row) as Record<string, unknown>);
}

function most(things: readonly unknown[]): number {
  const counts = new Map<unknown, number>();
  for (const thing of things) counts.set(thing, (counts.get(thing) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

test(
  `${RUNS} times kill -9 at step boundaries: no incident lost or doubled, no action done twice, all told`,
  async () => {
    const random = randomFrom(3);
    for (const name of names) writeFileSync(join(dir, name), '');
    writeFileSync(
      file,
      `
state: ./vitald.db
confirm: 0s
recovery: { start_grace: 0s, cool_down: 0s, per_group: 1/${PER_GROUP_MS}ms, overall: 1000/1s, share: 100%, panic: 100% }
defaults:
  { interval: 500ms, retry_interval: 50ms, failure_threshold: 2, verify: { successes: 1, within: 300ms, stable: 0s }, notify: tell }
groups: { all: { at_least: 1 } }
targets:
  - { name: "{t}", each: { t: [${names.join(', ')}] }, there: "${dir}/{t}", group: all, recover: mend }
hooks:
  tell: { shell: 'echo "$VITALD_EVENT_ID" >> told' }
  mend:
    - { shell: 'echo "1 $VITALD_TARGET $VITALD_EVENT_ID" >> acts', settle: 0s }
    - { shell: 'echo "2 $VITALD_TARGET $VITALD_EVENT_ID" >> acts; touch "$VITALD_TARGET"', settle: 0s, attempts: 50 }
`,
    );
    const died: string[] = [];
    const fallen: string[] = [];
    await runAgent(0);
    for (let run = 0; run < RUNS; run++) {
      for (const name of names.slice(fallen.length, fallen.length + 1 + Math.floor(random() * 2))) {
        rmSync(join(dir, name));
        fallen.push(name);
      }
      const where = await runAgent(1 + Math.floor(random() * WITHIN));
      if (where !== undefined) died.push(where);
    }
    expect(await runAgent(0)).toBeUndefined();

    // Whoever fell has had one incident, which is closed; nobody else has had any.
    const incidents = rows('incident');
    expect(incidents.map(({ target }) => String(target)).toSorted()).toEqual(fallen.toSorted());
    expect(incidents.filter(({ closed }) => closed === null)).toEqual([]);
    // Each was told as down and as up, with the same ids however often.
    const told = lines('told');
    const expected = incidents.flatMap(({ id }) => [`${String(id)}/down`, `${String(id)}/up`]);
    expect([...new Set(told)].toSorted()).toEqual(expected.toSorted());
    // What was done was intended, was done once, and was judged.
    const acts = lines('acts').map((line) => line.split(' '));
    expect(most(acts.map(([, , id]) => id))).toBe(1);
    const actions = rows('action');
    const counted = new Set(actions.filter(({ counted }) => counted).map(({ id }) => id));
    expect(acts.filter(([, , id]) => !counted.has(id))).toEqual([]);
    expect(actions.filter(({ outcome }) => outcome === null)).toEqual([]);
    // The first step has one attempt, whatever became of it.
    expect(most(acts.filter(([step]) => step === '1').map(([, target]) => target))).toBeLessThanOrEqual(1);
    // The rate holds over all restarts. An intent waits for the disk, so it is compared by intents.
    const at = actions.flatMap(({ at, counted }) => (counted ? [Number(at)] : [])).toSorted((a, b) => a - b);
    const closest = Math.min(...at.slice(1).map((time, index) => time - at[index]!));
    expect(closest).toBeGreaterThanOrEqual(PER_GROUP_MS - 2);

    const table = [...new Set(died)]
      .toSorted()
      .map((where) => `${where} ${died.filter((one) => one === where).length}`);
    // oxlint-disable-next-line no-console
    console.log(
      `${died.length} kills; ${incidents.length} incidents, ${acts.length} actions; ${table.join(', ')}`,
    );
    rmSync(dir, { recursive: true });
  },
  RUNS * 20_000,
);
