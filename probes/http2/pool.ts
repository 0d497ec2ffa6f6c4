import type { ProbeContext } from '../../src/core/probe.ts';
import type { Connection } from '../dial.ts';
import { type Keep, createKeep } from '../keep.ts';
import type { PeerCertificate } from '../tls.ts';
import { type Client, type ClientOptions, createClient } from './client.ts';

interface KeptClient {
  readonly connection: Connection;
  readonly client: Client;
  readonly speaksUnasked: true;
}

export interface Use<T> {
  /** Whose connections these are, and to where. */
  readonly owner: object;
  readonly origin: string;
  /** Whether one that waits is taken, and one that is still good afterwards is kept. */
  readonly reuse: boolean;
  /** A fresh connection. */
  dial(): Promise<Connection>;
  ask(client: Client): Promise<T>;
}

export interface Used<T> {
  readonly result: T;
  readonly certificate: PeerCertificate | undefined;
}

/** Clients whose connections may outlive an attempt. */
export interface Pool {
  use<T>(use: Use<T>, context: ProbeContext): Promise<Used<T>>;
}

export function createPool(options: Omit<ClientOptions, 'keeps'>): Pool {
  const keep: Keep<KeptClient> = createKeep();

  async function over<T>(kept: KeptClient, { owner, origin, reuse, ask }: Use<T>, { clock }: ProbeContext) {
    const { connection, client } = kept;
    let reusable = false;
    try {
      const result = await ask(client);
      reusable = reuse && client.usable;
      return { result, certificate: connection.certificate };
    } finally {
      if (reusable) keep.put(owner, origin, kept, clock);
      else connection.close();
    }
  }

  return {
    async use(use, context) {
      const { owner, origin, reuse, dial } = use;
      const waiting = reuse ? keep.take(owner, origin, context.signal, context.clock) : undefined;
      if (waiting?.client.usable) {
        try {
          return await over(waiting, use, context);
        } catch (error) {
          // What a dead connection says before any of an answer is nothing: a fresh one will tell.
          if (waiting.client.answered || context.signal.aborted) throw error;
          context.trace?.({ kind: 'note', text: 'the kept connection was dead; on over a fresh one' });
        }
      } else waiting?.connection.close();
      const connection = await dial();
      let client: Client;
      try {
        client = createClient(connection, { ...options, keeps: reuse });
      } catch (error) {
        connection.close();
        throw error;
      }
      return await over({ connection, client, speaksUnasked: true }, use, context);
    },
  };
}
