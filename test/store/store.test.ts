import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Libsql from 'libsql';
import { afterEach, describe, expect, test } from 'vitest';
import type { Row, Store } from '../../src/core/store.ts';
import { openStore } from '../../src/store/store.ts';
import { type FakeClock, createFakeClock } from '../support/fake-clock.ts';

/** What takes its time is the disk alone: the clock is moved by hand. */

const open: Store[] = [];
const ends: (() => void)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await Promise.all(open.splice(0).map((store) => store.close()));
});

function newPath(): string {
  return join(mkdtempSync(join(tmpdir(), 'vitald-store-')), 'state', 'vitald.db');
}

async function start(path: string): Promise<{ store: Store; clock: FakeClock; said: string[] }> {
  const clock = createFakeClock({ wallTime: Date.now() });
  const said: string[] = [];
  const store = await openStore({
    path,
    clock,
    onTrouble: (trouble) => said.push(trouble),
    onBack: () => said.push('back'),
  });
  open.push(store);
  return { store, clock, said };
}

/** Into a table that takes more than it asks for. */
function put(store: Store, key: string, row: Row | null): void {
  store.put('calibration', key, row && doc(row));
}

function doc(row: Row): Row {
  return { days: [], probe: '', ...row };
}

/** Turns of the loop until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

async function restart(store: Store): Promise<Awaited<ReturnType<typeof start>>> {
  await store.close();
  return start(store.status().path!);
}

const INCIDENT = {
  id: 'a-1',
  target: 'a',
  group: null,
  opened: Date.UTC(2026, 0, 2, 3, 4, 5),
  closed: null,
  end: null,
  reason: 'refused',
  class: 'explicit',
  message: 'connection refused',
  correlated: null,
} as const;

function entry(incident: string, what: string) {
  return { incident, target: 'a', at: INCIDENT.opened, what, detail: '' };
}

describe('what is kept', () => {
  test('comes back as it was last put, and not where it was forgotten', async () => {
    const first = await start(newPath());
    put(first.store, 'a', { state: 'up' });
    put(first.store, 'a', { state: 'down', name: 'ä "\u0000 €' });
    put(first.store, 'b', { state: 'up' });
    expect(await first.store.commit()).toBe(true);
    put(first.store, 'b', null);
    first.store.put('incident', 'a-1', INCIDENT);
    expect(first.store.kept('incident').get('a-1')).toEqual(INCIDENT);
    const { store } = await restart(first.store);
    expect([...store.kept('calibration')]).toEqual([['a', doc({ state: 'down', name: 'ä "\u0000 €' })]]);
    expect([...store.kept('incident')]).toEqual([['a-1', INCIDENT]]);
    expect(store.status()).toMatchObject({ ok: true, trouble: null, pending: 0, dropped: 0 });
  });

  test('in thousands goes to the disk in pieces, and as one transaction', async () => {
    const { store } = await start(newPath());
    for (let i = 0; i < 1_001; i++) put(store, `t${i}`, { i });
    let turns = 0;
    let done = false;
    const committed = store.commit().then((all) => {
      done = true;
      return all;
    });
    await until(() => ++turns > 0 && done);
    expect(turns).toBeGreaterThan(4);
    expect(await committed).toBe(true);
    const { store: again } = await restart(store);
    expect(again.kept('calibration').get('t1000')).toEqual(doc({ i: 1_000 }));
  });

  test('is written within a second, many rows at once', async () => {
    const { store, clock } = await start(newPath());
    for (let i = 0; i < 100; i++) put(store, `t${i}`, { state: 'up' });
    await clock.advance(999);
    expect(store.status().pending).toBe(100);
    await clock.advance(1);
    await until(() => store.status().pending === 0);
    expect(clock.pending).toBe(0);
  });

  test('histories are read newest first, by what stands in their columns', async () => {
    const { store } = await start(newPath());
    for (const what of ['down', 'told', 'up']) store.put('timeline', null, entry('a-1', what));
    store.put('timeline', null, entry('b-1', 'down'));
    const read = async (limit: number, incident: string) =>
      (await store.list('timeline', { limit, where: { incident } })).map(({ what }) => what);
    expect(await read(9, 'a-1')).toEqual(['up', 'told', 'down']);
    expect(await read(1, 'a-1')).toEqual(['up']);
    expect(await read(9, 'c-1')).toEqual([]);
    store.put('incident', 'a-1', INCIDENT);
    store.put('incident', 'a-0', { ...INCIDENT, id: 'a-0', closed: INCIDENT.opened, end: 'up' });
    const openOnes = await store.list('incident', { limit: 9, where: { closed: null } });
    expect(openOnes).toEqual([INCIDENT]);
  });

  test('is there for people with a shell, while the agent runs', async () => {
    const { store } = await start(newPath());
    store.put('incident', 'a-1', INCIDENT);
    await store.commit();
    const db = new Libsql(store.status().path!);
    const [row] = db.prepare('SELECT target, opened, closed, reason FROM incident').all();
    expect(row).toMatchObject({
      target: 'a',
      opened: '2026-01-02T03:04:05.000Z',
      closed: null,
      reason: 'refused',
    });
    db.close();
  });

  test("is its owner's alone", async () => {
    const path = newPath();
    const { store } = await start(path);
    put(store, 'a', {});
    await store.commit();
    const mode = (file: string): string => (statSync(file).mode & 0o777).toString(8);
    expect(mode(dirname(path))).toBe('700');
    const files = readdirSync(dirname(path));
    expect(files).toContain('vitald.db-wal');
    for (const file of files) expect(`${file} ${mode(join(dirname(path), file))}`).toBe(`${file} 600`);
  });

  test('gets the columns and tables that an earlier version did not have', async () => {
    const path = newPath();
    await (await start(path)).store.close();
    const db = new Libsql(path);
    db.exec('ALTER TABLE incident DROP COLUMN message; DROP TABLE timeline');
    db.close();
    const { store } = await start(path);
    store.put('timeline', null, entry('a-1', 'down'));
    store.put('incident', 'a-1', INCIDENT);
    expect(await store.list('incident', { limit: 1, where: { message: INCIDENT.message } })).toEqual([
      INCIDENT,
    ]);
    expect((await store.list('timeline', { limit: 1 })).length).toBe(1);
  });

  test('what was committed survives kill -9', async () => {
    const path = newPath();
    const url = (file: string): string => fileURLToPath(new URL(`../../dist/src/${file}`, import.meta.url));
    const script = `
      import { openStore } from ${JSON.stringify(url('store/store.js'))};
      import { createSystemClock } from ${JSON.stringify(url('runtime/system-clock.js'))};
      const say = (text) => process.stdout.write(text + '\\n');
      const store = await openStore({ path: process.argv[1], clock: createSystemClock(), onTrouble: say, onBack: say });
      for (let i = 0; ; i++) {
        store.put('calibration', 'n' + i, { days: [], probe: '', i });
        if (await store.commit()) say(String(i));
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let last = -1;
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      last = Number(line);
      if (last === 20) child.kill('SIGKILL');
    });
    await new Promise((resolve) => lines.once('close', resolve));
    expect(last).toBeGreaterThanOrEqual(20);
    const { store } = await start(path);
    const kept = store.kept('calibration');
    for (let i = 0; i <= last; i++) expect(kept.get(`n${i}`)).toEqual(doc({ i }));
  });
});

test('histories are pruned by age, a few at a time; what has not come to its end stays', async () => {
  const path = newPath();
  const first = await start(path);
  const old = (id: string, closed: number | null) => ({ ...INCIDENT, id, closed });
  for (let i = 0; i < 10; i++) {
    first.store.put('incident', `closed-${i}`, old(`closed-${i}`, 1));
    first.store.put('timeline', null, entry('a-1', 'down'));
  }
  first.store.put('incident', 'open', old('open', null));
  put(first.store, 'a', { kept: 'for good' });
  await first.store.close();
  const db = new Libsql(path);
  for (const table of ['incident', 'timeline', 'calibration']) db.exec(`UPDATE ${table} SET saved = 1`);
  db.close();

  const { store, clock } = await start(path);
  store.put('timeline', null, entry('b-1', 'down'));
  await clock.advance(1_000);
  await until(() => store.status().pending === 0);
  const left = await store.list('incident', { limit: 99 });
  expect(left.map(({ id }) => id)).toEqual(['open']);
  expect((await store.list('timeline', { limit: 99 })).map(({ incident }) => incident)).toEqual(['b-1']);
  expect((await store.list('calibration', { limit: 99 })).length).toBe(1);
});

describe('trouble', () => {
  test('a file that is no database is moved aside, said, and begun anew', async () => {
    const path = newPath();
    mkdirSync(dirname(path));
    writeFileSync(path, 'no database\n'.repeat(1_000));
    const { store, said } = await start(path);
    put(store, 'a', { state: 'up' });
    expect(await store.commit()).toBe(true);
    const aside = readdirSync(dirname(path)).filter((file) => file.includes('.corrupt-'));
    expect(aside.length).toBe(1);
    expect(readFileSync(join(dirname(path), aside[0]!), 'utf8')).toContain('no database');
    expect(said).toEqual([
      `${path} was no whole database: it is ${join(dirname(path), aside[0]!)} now, and a new one is begun`,
    ]);
    expect(store.status()).toMatchObject({ ok: true, trouble: said[0] });
  });

  test('a page that is destroyed is found at the start', async () => {
    const path = newPath();
    const first = await start(path);
    for (let i = 0; i < 500; i++) put(first.store, `t${i}`, { state: 'up', filler: 'x'.repeat(200) });
    await first.store.close();
    const whole = readFileSync(path);
    whole.fill(7, whole.length - 8_192);
    writeFileSync(path, whole);
    const { said } = await start(path);
    expect(said.join()).toContain('was no whole database');
  });

  test.each([
    ['of something else', 'CREATE TABLE notes (text)', 'it is a database of something else'],
    [
      'of a newer vitald',
      'PRAGMA application_id = 0x76746c64; PRAGMA user_version = 99; CREATE TABLE x (y)',
      'a newer vitald has written it',
    ],
  ])('a database %s is left alone', async (_what, sql, message) => {
    const path = newPath();
    mkdirSync(dirname(path));
    const db = new Libsql(path);
    db.exec(sql);
    db.close();
    const before = readFileSync(path);
    const { store, said, clock } = await start(path);
    put(store, 'a', { state: 'up' });
    expect(await store.commit()).toBe(false);
    await clock.advance(10_000);
    await store.close();
    expect(readFileSync(path)).toEqual(before);
    expect(said.length).toBe(1);
    expect(said[0]).toContain(`${path}: ${message}`);
  });

  test('the second agent on a file is refused, says so once, and takes over when the first has gone', async () => {
    const path = newPath();
    const first = await start(path);
    const second = await start(path);
    expect(second.said).toEqual([
      `${path}: another vitald keeps its state there; give each one a file of its own by state:`,
    ]);
    put(second.store, 'mine', { state: 'up' });
    expect(await second.store.commit()).toBe(false);
    await expect(second.store.list('calibration', { limit: 1 })).rejects.toThrow('another vitald');
    expect(second.store.status()).toMatchObject({ ok: false, pending: 1 });
    await first.store.close();
    await second.clock.advance(10_000);
    await until(() => second.said.length > 1);
    expect(second.said.slice(1)).toEqual(['back']);
    expect(await second.store.commit()).toBe(true);
  });

  /** Whoever is root may write what nobody may. */
  const asSomebody = async <T>(dir: string, work: () => Promise<T>): Promise<T> => {
    if (process.geteuid?.() !== 0) return work();
    for (const file of ['', ...readdirSync(dir)]) chownSync(join(dir, file), 65_534, 65_534);
    chmodSync(dirname(dir), 0o755);
    process.seteuid!(65_534);
    try {
      return await work();
    } finally {
      process.seteuid!(0);
    }
  };

  test('a file that can only be read is read, and said once to be no more than that', async () => {
    const path = newPath();
    const first = await start(path);
    put(first.store, 'a', { state: 'up' });
    await first.store.close();
    chmodSync(path, 0o444);
    await asSomebody(dirname(path), async () => {
      const { store, clock, said } = await start(path);
      expect(store.kept('calibration').get('a')).toEqual(doc({ state: 'up' }));
      put(store, 'b', { state: 'up' });
      expect(await store.commit()).toBe(false);
      // The next thread answers what it is asked once it has opened the file.
      await clock.advance(10_000);
      await until(() => clock.pending === 1);
      await store.list('calibration', { limit: 1 }).catch(() => {});
      expect(said.length).toBe(1);
      expect(said[0]).toContain(`${path}: it cannot be written`);
      expect(store.status()).toMatchObject({ ok: false, trouble: said[0] });
      // Its -shm was made in its likeness.
      for (const file of readdirSync(dirname(path))) chmodSync(join(dirname(path), file), 0o644);
      await clock.advance(10_000);
      await until(() => said.length > 1);
      expect(said.slice(1)).toEqual(['back']);
      expect(await store.commit()).toBe(true);
      await store.close();
    });
  });

  test.each([
    ['is something else', 'no lock\n'.repeat(200), 0o600, 'is something else: take it away'],
    ['cannot be opened', '', 0o000, 'cannot be used: mend its owner and permissions'],
    ['can only be read', '', 0o444, 'cannot be used: mend its owner and permissions'],
  ])('a .lock that %s is said to be the trouble', async (_what, text, mode, message) => {
    const path = newPath();
    await (await start(path)).store.close();
    rmSync(`${path}.lock`);
    writeFileSync(`${path}.lock`, text);
    chmodSync(`${path}.lock`, mode);
    await asSomebody(dirname(path), async () => {
      const { store, said } = await start(path);
      expect(said.length).toBe(1);
      expect(said[0]).toContain(`${path}: the .lock beside it, which keeps a second vitald out, ${message}`);
      await store.close();
    });
  });

  test('a path that cannot be written stops nobody', async () => {
    const { store, said } = await start('/dev/null/vitald.db');
    expect(said.length).toBe(1);
    expect(said[0]).toMatch(/^\/dev\/null\/vitald\.db: it cannot be written; .*EEXIST/);
    put(store, 'a', { state: 'up' });
    expect(await store.commit()).toBe(false);
    expect(store.kept('calibration').get('a')).toEqual(doc({ state: 'up' }));
  });

  test('a file that was removed is begun anew, with all that is held in memory', async () => {
    const path = newPath();
    const { store, clock, said } = await start(path);
    put(store, 'quiet', { state: 'up' });
    await store.commit();
    rmSync(path);
    put(store, 'a', { state: 'down' });
    expect(await store.commit()).toBe(false);
    await clock.advance(100);
    await until(() => said.at(-1) === 'back');
    expect(said[0]).toContain('it was removed or replaced');
    const again = await restart(store);
    expect([...again.store.kept('calibration').keys()].toSorted()).toEqual(['a', 'quiet']);
  });

  test('a lock that somebody holds holds up nobody but the disk; then all is written', async () => {
    const path = newPath();
    const { store, clock, said } = await start(path);
    put(store, 'before', { state: 'up' });
    await store.commit();
    const shell = new Libsql(path);
    shell.exec('BEGIN IMMEDIATE');
    let settled: boolean | undefined;
    put(store, 'a', { state: 'down' });
    const committed = store.commit().then((done) => (settled = done));
    // The loop turns, though the thread is stuck.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toBe(undefined);
    await clock.advance(5_000);
    expect(await committed).toBe(false);
    expect(said).toEqual([`${path}: the disk does not answer`]);
    shell.exec('COMMIT');
    shell.close();
    await until(() => said.at(-1) === 'back');
    expect(await store.commit()).toBe(true);
    const again = await restart(store);
    expect(again.store.kept('calibration').get('a')).toEqual(doc({ state: 'down' }));
  });

  test('a full disk loses nothing that fits into memory', async (context) => {
    const path = newPath();
    mkdirSync(dirname(path));
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'none', dirname(path)], { stdio: 'ignore' });
    } catch {
      return context.skip('no tmpfs can be mounted here');
    }
    ends.push(() => execFileSync('umount', ['-l', dirname(path)]));
    const { store, clock, said } = await start(path);
    put(store, 'first', { state: 'up' });
    expect(await store.commit()).toBe(true);
    for (let i = 0; i < 400; i++) put(store, `t${i}`, { filler: 'x'.repeat(1_000) });
    expect(await store.commit()).toBe(false);
    expect(said[0]).toContain('the disk is full; make room');
    expect(store.status()).toMatchObject({ ok: false, pending: 400 });
    for (let turn = 0; turn < 3; turn++) {
      await clock.advance(10_000);
      await until(() => clock.pending === 1);
      // The thread answers in order: once it has opened the file, and twice what it was to write, in pieces.
      for (let asked = 0; asked < 3; asked++) {
        await store.list('calibration', { limit: 1 }).catch(() => {});
      }
      expect([said.length, store.status().ok]).toEqual([1, false]);
    }
    execFileSync('mount', ['-o', 'remount,size=8m', dirname(path)]);
    await clock.advance(10_000);
    await until(() => said.length > 1);
    expect(said.slice(1)).toEqual(['back']);
    const again = await restart(store);
    expect(again.store.kept('calibration').size).toBe(401);
    await again.store.close();
  });
});
