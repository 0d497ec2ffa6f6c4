import type { Cancel, Clock } from '../core/clock.ts';
import type { Row, Rows, Store, Table } from '../core/store.ts';
import { type Answer, type Fault, type WrittenRow, inWords } from './protocol.ts';
import { type Put, createHeld, createQueue } from './queue.ts';
import { readRow } from './rows.ts';
import { NAMES } from './schema.ts';
import { type StoreThread, startThread } from './worker.ts';

export interface StoreOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Once for each trouble, not for each attempt to mend it. */
  readonly onTrouble: (trouble: string) => void;
  /** The disk takes everything again. */
  readonly onBack: (path: string) => void;
}

/** How long rows wait for company, ms. */
const GATHER_MS = 1_000;
/** Without an answer for so long the disk is said to hang, ms. Nobody who waits waits longer. */
const PATIENCE_MS = 5_000;
const RETRY_MS = 10_000;
/** Rows in one request to the thread. */
const MOST_AT_ONCE = 250;
/** Rows that cannot be used, of one table. */
const MOST_NAMED = 5;
/** Where the remedy is to begin anew, or the trouble has been waited for already. */
const RETRY_SOON_MS = 100;

const STUCK: Fault = { kind: 'stuck', detail: '' };

/**
 * Opens the store and reads what was kept. Resolves within some seconds, also where there is trouble: the agent goes on,
 * and what is held in memory is written once that can be done.
 */
export async function openStore({ path, clock, onTrouble, onBack }: StoreOptions): Promise<Store> {
  const held = createHeld();
  const queue = createQueue();
  let thread: StoreThread;
  let state: 'opening' | 'ready' | 'writing' | 'broken' = 'opening';
  let fault: Fault | null = null;
  /** What happened to the file, for as long as the agent lives. */
  let note: string | null = null;
  let since = clock.wallTime();
  /** Who waits for the batch under way, and for the next one. */
  let underWay: ((done: boolean) => void)[] = [];
  let waiting: ((done: boolean) => void)[] = [];
  let cancelFlush: Cancel | undefined;
  let cancelRetry: Cancel | undefined;
  let closed = false;

  function become(next: Fault | null): void {
    const before = fault;
    fault = next;
    if (before?.kind === next?.kind) return;
    since = clock.wallTime();
    if (next) onTrouble(inWords(path, next));
    else if (before) onBack(path);
  }

  function settle(waiters: ((done: boolean) => void)[], done: boolean): void {
    for (const resolve of waiters.splice(0)) resolve(done);
  }

  /** `stuck` where the answer takes too long. */
  function inTime(answer: Promise<Answer>): Promise<Answer> {
    return new Promise((resolve) => {
      const cancel = clock.schedule(clock.now() + PATIENCE_MS, () =>
        resolve({ kind: 'failed', fault: STUCK }),
      );
      void answer.then((came) => {
        cancel();
        resolve(came);
      });
    });
  }

  async function open(isFirst: boolean): Promise<void> {
    thread = startThread(path);
    const { opened } = thread;
    const first = await inTime(opened);
    if (first.kind === 'opened') return take(first, isFirst);
    if (first.kind !== 'failed' || first.fault.kind !== 'stuck') return breakOff(first);
    become(STUCK);
    void opened.then((late) => (late.kind === 'opened' ? take(late, false) : breakOff(late)));
  }

  function take({ kept, movedTo, unwritable }: Extract<Answer, { kind: 'opened' }>, isFirst: boolean): void {
    if (isFirst) for (const table of NAMES) remember(table, kept[table] ?? []);
    if (movedTo !== null)
      remark(`${path} was no whole database: it is ${movedTo} now, and a new one is begun`);
    if (unwritable) return breakOff({ kind: 'failed', fault: unwritable });
    // Whatever is on the disk by now: memory is newer.
    if (!isFirst) for (const put of held.all(clock.wallTime())) queue.put(put);
    state = 'ready';
    // A full disk may take the opening, and not the rows: only what was written shows that it is back.
    if (queue.pending() === 0) become(null);
    flush();
  }

  /** A row that cannot be used is not to keep the agent from its work: it is set aside, and the rest is taken. */
  function remember(table: Table, rows: readonly (readonly [key: string, json: string])[]): void {
    const damaged: string[] = [];
    const at = clock.wallTime();
    for (const [key, json] of rows) {
      const reading = readRow(table, key, json);
      if (reading.usable) {
        held.put(table, key, reading.row);
        continue;
      }
      damaged.push(`${JSON.stringify(key)} (${reading.why})`);
      const row = { table, name: key, why: reading.why, document: json };
      queue.put({ table: 'damaged', key: null, row, at });
      queue.put({ table, key, row: null, at });
    }
    if (damaged.length === 0) return;
    const named = damaged.slice(0, MOST_NAMED).join(', ');
    const more = damaged.length > MOST_NAMED ? ` and ${damaged.length - MOST_NAMED} more` : '';
    remark(`${path}: what its table ${table} keeps of ${named}${more} cannot be used: see its table damaged`);
  }

  /** Of the file, once, and visible from then on. */
  function remark(what: string): void {
    note = note === null ? what : `${note}; ${what}`;
    since = clock.wallTime();
    onTrouble(what);
  }

  function breakOff(answer: Answer): void {
    state = 'broken';
    queue.returned();
    become(answer.kind === 'failed' ? answer.fault : { kind: 'died', detail: '' });
    settle(underWay, false);
    settle(waiting, false);
    if (closed) return;
    const soon = fault && ['busy', 'corrupt', 'gone'].includes(fault.kind);
    cancelRetry = clock.schedule(clock.now() + (soon ? RETRY_SOON_MS : RETRY_MS), () => {
      state = 'opening';
      // Only the end of a thread lets go of its files.
      void thread.end().then(() => (closed ? undefined : open(false)));
    });
  }

  function flush(): void {
    cancelFlush?.();
    cancelFlush = undefined;
    if (state !== 'ready' || (queue.pending() === 0 && waiting.length === 0)) return;
    state = 'writing';
    underWay = waiting.splice(0);
    void write(queue.take(), underWay.length > 0);
  }

  /** One transaction, in pieces: to put thousands of rows into words would hold up the loop. */
  async function write(puts: readonly Put[], sync: boolean): Promise<void> {
    for (let at = 0; at === 0 || at < puts.length; at += MOST_AT_ONCE) {
      const rows = puts.slice(at, at + MOST_AT_ONCE).flatMap((put) => inJson(put));
      const more = at + MOST_AT_ONCE < puts.length;
      const asked = thread.ask({ kind: 'write', rows, sync, more });
      const first = await inTime(asked);
      if (first.kind === 'failed' && first.fault.kind === 'stuck') {
        become(STUCK);
        settle(underWay, false);
        settle(waiting, false);
      }
      const answer = await asked;
      if (answer.kind !== 'done') return breakOff(answer);
    }
    queue.written();
    state = 'ready';
    become(null);
    settle(underWay, true);
    if (waiting.length > 0) flush();
    else flushSoon();
  }

  function flushSoon(): void {
    if (closed || queue.pending() === 0) return;
    cancelFlush ??= clock.schedule(clock.now() + GATHER_MS, flush);
  }

  function inJson({ table, key, row, at }: Put): WrittenRow[] {
    try {
      return [[table, key, row && JSON.stringify(row), at]];
    } catch (error) {
      onTrouble(`a row of ${table} cannot be kept: ${String(error)}`);
      return [];
    }
  }

  function commit(): Promise<boolean> {
    if (fault || closed) return Promise.resolve(false);
    return new Promise((resolve) => {
      waiting.push(resolve);
      flush();
    });
  }

  await open(true);
  return {
    kept: <Name extends Table>(table: Name) => held.rows(table) as ReadonlyMap<string, Rows[Name]>,
    put(table, key, row) {
      if (closed) return;
      if (key !== null) held.put(table, key, row as Row | null);
      queue.put({ table, key, row: row as Row | null, at: clock.wallTime() });
      flushSoon();
    },
    commit,
    async list<Name extends Table>(table: Name, { limit, where = {} }: Parameters<Store['list']>[1]) {
      await commit();
      const answer = await inTime(thread.ask({ kind: 'list', table, limit, where }));
      if (answer.kind === 'listed') {
        const readings = answer.rows.map((json) => readRow(table, null, json));
        return readings.flatMap((reading) => (reading.usable ? [reading.row as Rows[Name]] : []));
      }
      throw new Error(inWords(path, fault ?? (answer.kind === 'failed' ? answer.fault : STUCK)));
    },
    status: () => ({
      path,
      ok: fault === null,
      trouble: fault ? inWords(path, fault) : note,
      since,
      pending: queue.pending(),
      dropped: queue.dropped(),
    }),
    async close() {
      if (closed) return;
      await commit();
      closed = true;
      cancelFlush?.();
      cancelRetry?.();
      if (fault?.kind === 'stuck') return;
      await inTime(thread.ask({ kind: 'close' }));
      await thread.end();
    },
  };
}
