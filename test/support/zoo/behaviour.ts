import type { Server, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { EvidenceClass, Reason, Status } from '../../../src/core/outcome.ts';
import type { Certificates } from './certificates.ts';

/**
 * The zoo: servers that misbehave by name, each a row of a table. Rows know nothing of the test runner (the leak bench
 * runs them, too): what listens is started through the context, and ends with the row.
 */
export interface Behaviour {
  /** What the server does: 'accepts, then says nothing'. One of a kind within its transport. */
  readonly name: string;
  readonly transport: Transport;
  /** Starts the server; resolves to its port. */
  serve(context: ZooContext): Promise<number>;
  /** As written in the YAML below the kind. */
  settings(port: number, context: ZooContext): unknown;
  readonly expected: Expected;
}

export type Transport = 'http' | 'https' | 'tcp' | 'tls' | 'grpc' | 'grpcs';

export interface Expected {
  readonly status: Status;
  readonly reason?: Reason;
  readonly class?: EvidenceClass;
  readonly message?: RegExp;
  /**
   * `answer`: settled by what the peer did; the attempt has a long timeout, which must not be used up. `deadline`:
   * settled by the runner, which a short timeout brings about.
   */
  readonly by: 'answer' | 'deadline';
}

export interface ZooContext {
  readonly certificates: Certificates;
  /** Any server on a free port of loopback. */
  serve(server: Server): Promise<number>;
  /** A port on which nobody listens, and nobody else will as long as this runs. */
  unusedPort(): Promise<number>;
  /** A server that does with each connection what it is told. */
  tcpServer(onPeer: OnPeer): Promise<number>;
  /** The same once TLS is up; without options it has a certificate of ours that is good. */
  tlsServer(onPeer: OnPeer, options?: TlsOptions, send?: () => Send): Promise<number>;
  /** TLS on a connection that stands, its own or one of TLS. */
  startTls(socket: Socket, onPeer: OnPeer, options?: TlsOptions): void;
  /** A server that speaks in plain until it starts TLS. */
  upgrading(
    onPeer: (socket: Socket, startTls: (onTls: OnPeer, options?: TlsOptions) => void) => void,
  ): Promise<number>;
}

/** `socket` is a TLSSocket where the server speaks TLS. Its errors are heard already. */
export type OnPeer = (socket: Socket, wire: Wire) => void;

/** How the bytes that TLS sends go out, in place of as they are. */
export type Send = (wire: Wire, bytes: Buffer, done: () => void) => void;

/** The connection below TLS; the connection itself where there is none. */
export interface Wire {
  readonly raw: Socket;
  /** A TCP reset, and no FIN before it. */
  reset(): void;
  /** A TCP FIN; over TLS without a close_notify. */
  cut(): void;
}

export function good(by: Expected['by'] = 'answer', message?: RegExp): Expected {
  return { status: 'ok', by, ...(message && { message }) };
}

/** A failure that the peer brings about. */
export function explicit(reason: Reason, message?: RegExp): Expected {
  return { status: 'fail', reason, class: 'explicit', by: 'answer', ...(message && { message }) };
}

/** Connected, and no answer in time. */
export function silent(message?: RegExp): Expected {
  return { status: 'fail', reason: 'timeout', class: 'silent', by: 'deadline', ...(message && { message }) };
}

/** A row that runs twice: over the plain transport and over TLS. */
export interface OverBoth {
  readonly name: string;
  readonly onPeer: OnPeer;
  /** Added to where the server is. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly expected: Expected;
  /** Where TLS makes a difference. */
  readonly overTls?: Expected;
}

/** Rows for http and https. */
export function overHttp(rows: readonly OverBoth[], overTls?: TlsOptions): Behaviour[] {
  return rows.flatMap((row) => [
    {
      ...row,
      transport: 'http',
      serve: ({ tcpServer }) => tcpServer(row.onPeer),
      settings: (port) => ({ url: `http://127.0.0.1:${port}/`, ...row.settings }),
    },
    {
      ...row,
      transport: 'https',
      serve: ({ tlsServer }) => tlsServer(row.onPeer, overTls),
      settings: (port, { certificates }) => ({
        url: `https://127.0.0.1:${port}/`,
        tls: { ca: certificates.ca.certFile },
        ...row.settings,
      }),
      expected: row.overTls ?? row.expected,
    },
  ]);
}

/** Rows for http and https, over HTTP/2. */
export function overHttp2(rows: readonly OverBoth[]): Behaviour[] {
  return overHttp(
    rows.map((row) => ({ ...row, name: `HTTP/2: ${row.name}`, settings: { version: 2, ...row.settings } })),
    { ALPNProtocols: ['h2'] },
  );
}

/** Rows for grpc and grpcs. */
export function overGrpc(rows: readonly OverBoth[]): Behaviour[] {
  return rows.flatMap((row) => [
    {
      ...row,
      transport: 'grpc',
      serve: ({ tcpServer }) => tcpServer(row.onPeer),
      settings: (port) => ({ address: `127.0.0.1:${port}`, ...row.settings }),
    },
    {
      ...row,
      transport: 'grpcs',
      serve: ({ tlsServer }) => tlsServer(row.onPeer, { ALPNProtocols: ['h2'] }),
      settings: (port, { certificates }) => ({
        address: `127.0.0.1:${port}`,
        tls: { ca: certificates.ca.certFile },
        ...row.settings,
      }),
      expected: row.overTls ?? row.expected,
    },
  ]);
}
