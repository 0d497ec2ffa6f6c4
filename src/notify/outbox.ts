import type { Clock } from '../core/clock.ts';
import type { HookEvent } from '../core/hook.ts';
import type { Row, Store } from '../core/store.ts';

/** How long a message waits for the disk before it goes out all the same, ms: rather twice than not at all. */
const PATIENCE_MS = 2_000;

/** What is kept of a delivery in the store. */
export interface Kept {
  readonly hook: string;
  readonly event: HookEvent;
  /** `told`: an opening that was delivered, for as long as it is not closed. */
  readonly state: 'waiting' | 'told';
  /** Wall clock ms of when it was accepted, and of when it was last spoken of. */
  readonly at: number;
  readonly toldAt: number;
}

/** The rows of deliveries: they are written before anything is sent, and outlive a crash. */
export interface Outbox {
  keep(row: string, kept: Kept): void;
  forget(row: string): void;
  /** What was kept by the agent before, in the order in which it was accepted. */
  restore(): { readonly row: string; readonly kept: Kept }[];
  /** Resolves when all of it is on the disk, or cannot be for now. */
  written(): Promise<void>;
  /** Whether what is kept will be there at the next start. */
  isDurable(): boolean;
}

export type DeliveryStore = Pick<Store, 'kept' | 'put' | 'commit' | 'status'>;

export function rowOf(hook: string, { kind, id }: HookEvent): string {
  return kind === 'group' ? `${hook}/group ${id}` : `${hook}/${id}`;
}

export function createOutbox(store: DeliveryStore, clock: Clock): Outbox {
  let newest = 0;
  const numbers = new Map<string, number>();

  return {
    keep(row, { hook, event, state, at, toldAt }) {
      const number = numbers.get(row) ?? ++newest;
      numbers.set(row, number);
      store.put('delivery', row, {
        hook,
        event: event.event,
        target: event.target,
        incident: event.incident,
        at,
        state,
        toldAt,
        number,
        body: event,
      });
    },
    forget(row) {
      numbers.delete(row);
      store.put('delivery', row, null);
    },
    restore() {
      const found = [...store.kept('delivery')].toSorted(([, a], [, b]) => numberOf(a) - numberOf(b));
      return found.map(([row, doc]) => {
        newest = Math.max(newest, numberOf(doc));
        numbers.set(row, numberOf(doc));
        return { row, kept: { ...(doc as unknown as Kept), event: doc['body'] as HookEvent } };
      });
    },
    async written() {
      let cancel = (): void => {};
      const patience = new Promise<void>((resolve) => {
        cancel = clock.schedule(clock.now() + PATIENCE_MS, resolve);
      });
      await Promise.race([store.commit(), patience]);
      cancel();
    },
    isDurable() {
      const { path, ok } = store.status();
      return path !== null && ok;
    },
  };
}

function numberOf(row: Row): number {
  return Number(row['number']);
}
