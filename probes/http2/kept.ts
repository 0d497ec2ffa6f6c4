import type { Connection } from '../wire/dial.ts';
import { type Keep, createKeep } from '../wire/keep.ts';
import { type Client, type ClientOptions, createClient } from './client.ts';

/** A client with its connection, which may outlive an attempt. */
export interface KeptClient {
  readonly connection: Connection;
  readonly client: Client;
  /** HTTP/2 knows PING and more; the client answers while nobody asks. */
  readonly speaksUnasked: true;
}

export function createClients(): Keep<KeptClient> {
  return createKeep();
}

/** The connection belongs to the client from now on, and is closed where there can be none. */
export async function clientOver(dialled: Promise<Connection>, options: ClientOptions): Promise<KeptClient> {
  const connection = await dialled;
  try {
    return { connection, client: createClient(connection, options), speaksUnasked: true };
  } catch (error) {
    connection.close();
    throw error;
  }
}
