import type { ActionRow, ClimbRow } from './action.ts';
import type { GroupHealth } from './group.ts';
import type { EvidenceClass, Reason } from './outcome.ts';
import type { KeptPause } from './pause.ts';
import type { KeptStanding } from './publish.ts';
import type { AttemptsRow } from './recorded.ts';
import type { SavedTarget } from './saved.ts';

/** What outlives the agent: documents in tables, found again after a restart, a crash, or a power cut. */
export interface Store {
  /**
   * What was kept when the agent started, and what has been put since, by key; of a history the newest rows. Where the
   * file could not be read in time at the start, only what has been put since. What cannot be used is not among it.
   */
  kept<Name extends Table>(table: Name): ReadonlyMap<string, Rows[Name]>;
  /**
   * Written behind, within a second; the last row for a key wins, null forgets it. Without a key it is a row of its own,
   * which is added and never replaced. The row is not to be changed afterwards. Never throws and never waits.
   */
  put<Name extends Table>(table: Name, key: string | null, row: Rows[Name] | null): void;
  /**
   * True once everything that was put before is on the disk and would survive a power cut; false where it is not within
   * some seconds. Always true where nothing is to be kept (`state: off`). Never rejects.
   */
  commit(): Promise<boolean>;
  /** From the disk, newest first, with what was put before. What cannot be used is left out. Rejects where it cannot be read, with the trouble in words. */
  list<Name extends Table>(table: Name, query: Query<Name>): Promise<Rows[Name][]>;
  status(): StoreStatus;
  /** Writes what is left, for a moment at most. Nothing can be put afterwards. */
  close(): Promise<void>;
}

export interface Query<Name extends Table> {
  readonly limit: number;
  /** What columns have to be; null: absent. */
  readonly where?: Readonly<Partial<Record<Column<Name>, string | null>>>;
}

export interface StoreStatus {
  /** Null where nothing is kept: `state: off`. */
  readonly path: string | null;
  readonly ok: boolean;
  /** What is wrong, or was, with what there is to do; null where all is well. */
  readonly trouble: string | null;
  /** Wall clock ms since when it has been so. */
  readonly since: number;
  /** Rows that wait to be written. */
  readonly pending: number;
  /** Rows of histories that found no more room to wait. */
  readonly dropped: number;
}

/** A document: plain JSON. Times are wall clock ms, or ages: the monotonic clock begins anew with each process. */
export type Row = Readonly<Record<string, unknown>>;

/** What is in each table. */
export interface Rows {
  /** What is believed of a target, by its name. */
  target: SavedTarget;
  /** By its id, open and closed. */
  incident: IncidentRow;
  /** What happened in incidents. */
  timeline: TimelineRow;
  /** Intents and results of recovery. */
  action: ActionRow;
  /** How far up its ladder a target has been taken, by its name. */
  climb: ClimbRow;
  /** Who has switched recovery off, as `switch`; and `panic GROUP` for each group that is in one. */
  recovery: RecoveryRow;
  /** Notifications that wait to be delivered. */
  delivery: Row;
  pause: KeptPause;
  /** How groups stand as a whole, by their names. */
  group: GroupHealth;
  /** Who of a group is published, by its name. */
  publication: KeptStanding;
  /** What a target's habits have taught, by its name. */
  calibration: Row;
  /** Attempts in a row that came to the same. */
  attempt: AttemptsRow;
  /** What could not be used when it was read, for people to look at. */
  damaged: DamagedRow;
}

export type Table = keyof Rows;

export interface RecoveryRow {
  readonly off: string | null;
  /** Of a panic: somebody has looked at it. */
  readonly acked?: boolean;
  readonly [key: string]: unknown;
}

export interface IncidentRow {
  readonly id: string;
  readonly target: string;
  readonly group: string | null;
  readonly opened: number;
  readonly closed: number | null;
  /** How it ended: verified up again, or the target was taken out of the configuration. */
  readonly end: 'up' | 'abandoned' | null;
  /** Of the attempt that opened it. */
  readonly reason: Reason | null;
  readonly class: EvidenceClass | null;
  readonly message: string;
  /** Shared with incidents that opened as many targets failed together. */
  readonly correlated: string | null;
}

export interface TimelineRow {
  readonly incident: string;
  readonly target: string;
  readonly at: number;
  /** One word, or two: `first failure`, `down`, `told`, `recovering`, `relapse`, `up`, `abandoned`. */
  readonly what: string;
  /** For people. */
  readonly detail: string;
  readonly [key: string]: unknown;
}

export interface DamagedRow {
  /** Where it was, and under which key. */
  readonly table: Table;
  readonly name: string;
  readonly why: string;
  /** As it stood there. */
  readonly document: string;
  readonly [key: string]: unknown;
}

interface Shape {
  /** Keys of the document that are columns, too: for queries, and for people with a shell. */
  readonly columns: readonly string[];
  /** The same for times, which are shown as such. */
  readonly times: readonly string[];
  /** The column that rows are looked up by. */
  readonly index?: string;
  /** A history: rows older than `days` (90) are pruned, beyond `most` the oldest; with `ends`, a time, not before it is set. */
  readonly history?: { readonly most: number; readonly days?: number; readonly ends?: string };
  /** How many rows are held in memory; of a history the newest. */
  readonly held: number;
}

export const TABLES = {
  target: { columns: ['state', 'incident'], times: ['since'], held: Infinity },
  incident: {
    columns: ['target', 'group', 'reason', 'class', 'message', 'end', 'correlated'],
    times: ['opened', 'closed'],
    history: { most: 20_000, ends: 'closed' },
    held: 1_000,
  },
  timeline: {
    columns: ['incident', 'target', 'what', 'detail'],
    times: ['at'],
    index: 'incident',
    history: { most: 100_000 },
    held: 0,
  },
  action: {
    columns: ['incident', 'target', 'step', 'mode', 'what', 'result', 'detail', 'outcome', 'why'],
    times: ['at', 'decided'],
    index: 'incident',
    history: { most: 50_000 },
    held: 10_000,
  },
  climb: { columns: ['target', 'mode', 'gave_up'], times: ['cool_until', 'acked_at'], held: Infinity },
  recovery: { columns: ['off'], times: [], held: Infinity },
  delivery: { columns: ['hook', 'event', 'target', 'incident'], times: ['at'], held: Infinity },
  pause: { columns: ['reason', 'by'], times: ['until'], held: Infinity },
  group: { columns: ['state'], times: ['since'], held: Infinity },
  publication: { columns: [], times: [], held: Infinity },
  calibration: { columns: [], times: [], held: Infinity },
  attempt: {
    columns: ['target', 'count', 'status', 'reason', 'state'],
    times: ['first', 'last'],
    history: { most: 200_000, days: 30 },
    held: 0,
  },
  damaged: { columns: ['table', 'name', 'why', 'document'], times: [], history: { most: 1_000 }, held: 0 },
} as const satisfies Record<Table, Shape>;

export type Column<Name extends Table> =
  | (typeof TABLES)[Name]['columns'][number]
  | (typeof TABLES)[Name]['times'][number];

export function shapeOf(table: Table): Shape {
  return TABLES[table];
}
