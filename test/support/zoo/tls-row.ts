import type { TlsOptions } from 'node:tls';
import type { Expected, OnPeer, Send } from './behaviour.ts';
import type { Certificates } from './certificates.ts';

/** What a row for TLS says that is its own. */
export interface TlsRow {
  readonly name: string;
  /** Once TLS is up. */
  readonly onPeer?: OnPeer;
  readonly options?: (certificates: Certificates) => TlsOptions;
  /** How what TLS sends goes out, made for each connection. */
  readonly send?: () => Send;
  /** In place of TLS: what happens on the bare connection. */
  readonly onWire?: OnPeer;
  readonly settings?: object;
  /** Beside `ca`. */
  readonly tls?: (certificates: Certificates) => object;
  readonly expected: Expected;
}

export const quiet: OnPeer = (socket) => void socket.resume();

export function says(text: string): OnPeer {
  return (socket) => void socket.resume().write(text);
}

/** The settings of a row that listens. */
export const EXPECT = { expect: 'PONG' };
