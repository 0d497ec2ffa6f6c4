import { Duplex } from 'node:stream';
import type { ProbeContext } from '../../src/core/probe.ts';
import { formatSize } from '../../src/core/units.ts';
import type { Connection } from '../wire/dial.ts';
import { ProbeFailure } from '../wire/reason.ts';
import { brokenBy } from './door.ts';

/** All that a server may send in an attempt. */
const MAX_RECEIVED = 1024 * 1024;

/**
 * A connection of ours as a stream that a database client works on. The deadline, the reset at the end, TLS and the facts
 * of its certificate stay with us; a client that throws at what a server sends does not take the agent along.
 */
export interface Wire {
  readonly stream: Duplex;
  /** Rejects when nothing more can come of it, with what is to blame. */
  readonly broken: Promise<never>;
  connection(): Connection;
  /** Goes on over another connection, as once TLS has started. */
  over(connection: Connection): void;
  /** Hands bytes to the client as if the server had sent them. */
  deliver(bytes: Buffer): void;
  /** Neither hears nor says anything any more. The connection stays open. */
  stop(): void;
}

export interface WireOptions {
  /** What the client sends, before it goes out. */
  readonly onSend?: (bytes: Buffer, wire: Wire) => Promise<Buffer> | Buffer;
  /** What the server sends, before the client has it. */
  readonly onReceive?: (bytes: Buffer) => Buffer;
}

export function createWire(
  first: Connection,
  { signal }: Pick<ProbeContext, 'signal'>,
  { onSend = (bytes) => bytes, onReceive = (bytes) => bytes }: WireOptions = {},
): Wire {
  let connection = first;
  let received = 0;
  let fail: (error: Error) => void = () => {};
  const broken = new Promise<never>((_resolve, reject) => {
    fail = (error) => {
      reject(error);
      stop();
      stream.destroy();
    };
  });
  // Whoever waits for the client alone is told by the client.
  broken.catch(() => {});

  const stream = new Duplex({
    allowHalfOpen: false,
    read() {},
    write(bytes: Buffer, _encoding, done) {
      void send(bytes, done);
    },
    final: (done) => done(),
  });
  stream.on('error', () => {});
  async function send(bytes: Buffer, done: (error?: Error) => void): Promise<void> {
    try {
      const out = await onSend(bytes, wire);
      if (!connection.socket.destroyed) connection.socket.write(out);
    } catch (error) {
      fail(error as Error);
      return done(error as Error);
    }
    done();
  }

  function deliver(bytes: Buffer): void {
    if (stream.destroyed) return;
    try {
      // Not by push: an error that a client throws has to come back to us, not to end the process.
      stream.emit('data', bytes);
    } catch (error) {
      fail(new ProbeFailure('protocol', `the server's answer cannot be read: ${(error as Error).message}`));
    }
  }
  function onData(bytes: Buffer): void {
    received += bytes.length;
    if (received > MAX_RECEIVED) {
      return fail(new ProbeFailure('too_large', `the server sent more than ${formatSize(MAX_RECEIVED)}`));
    }
    let passed: Buffer;
    try {
      passed = onReceive(bytes);
    } catch (error) {
      return fail(error as Error);
    }
    deliver(passed);
  }
  function onEnd(): void {
    const how = connection.wasReset() ? 'reset' : connection.wasCut() ? 'cut' : 'closed';
    // What came before the end may have decided already.
    setImmediate(() => fail(signal.aborted ? (signal.reason as Error) : brokenBy(how)));
  }
  function listen(): void {
    const { socket } = connection;
    socket.on('data', onData);
    socket.once('end', onEnd);
    socket.once('close', onEnd);
    socket.once('error', fail);
    if (socket.errored) fail(socket.errored);
    else if (socket.destroyed) onEnd();
    else socket.resume();
  }
  function stop(): void {
    const { socket } = connection;
    socket.pause();
    socket.removeListener('data', onData);
    socket.removeListener('end', onEnd);
    socket.removeListener('close', onEnd);
    socket.removeListener('error', fail);
  }

  const wire: Wire = {
    stream,
    broken,
    connection: () => connection,
    over(next) {
      connection = next;
      listen();
    },
    deliver,
    stop,
  };
  listen();
  return wire;
}
