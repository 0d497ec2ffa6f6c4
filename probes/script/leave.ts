import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import type * as wasi from 'node:wasi';
import { isMainThread } from 'node:worker_threads';
import type { Thread } from './thread.ts';

/** What is used of it; the types of Node leave it out. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => object;
};

/** So long the process waits at its end for the threads that it has told to go, ms. */
const PATIENCE_MS = 500;
const LOOK_MS = 5;

/**
 * Lets the process end although a thread is stuck in a call that cannot be interrupted, as reading a FIFO to which
 * nobody writes. Node waits for its threads whichever way it is left, and would wait for as long as that call lasts.
 * The function that comes back calls this off.
 */
export function leaveWithout(threads: ReadonlySet<Thread>): () => void {
  if (!isMainThread) return () => {};
  function onExit(code: number): void {
    const left = [...threads].filter((thread) => thread.pulse().systemId !== 0 || thread.isAtWork());
    for (const thread of left) thread.end({ kind: 'ended' });
    const sleep = new Int32Array(new SharedArrayBuffer(4));
    for (let waited = 0; left.some(isThere); waited += LOOK_MS) {
      if (waited >= PATIENCE_MS) return exitAtOnce(code);
      Atomics.wait(sleep, 0, 0, LOOK_MS);
    }
  }
  process.once('exit', onExit);
  return () => process.off('exit', onExit);
}

/** Whether it is still a thread of the system's. Where that cannot be told, it is taken for one: it was at work. */
function isThere(thread: Thread): boolean {
  const { systemId } = thread.pulse();
  return systemId === 0 || existsSync(`/proc/self/task/${systemId}`);
}

/**
 * Leaves without waiting for threads. `proc_exit` of WASI is the one way to the exit of the C library, and keeps the
 * exit code, on every Node.
 */
function exitAtOnce(code: number): void {
  try {
    const { WASI } = createRequire(import.meta.url)('node:wasi') as typeof wasi;
    const system = new WASI({ version: 'preview1', returnOnExit: false });
    const module = new WebAssembly.Module(callOfExit(code));
    system.start(new WebAssembly.Instance(module, system.getImportObject()));
  } catch {
    // Comes to the same, but for the code.
  }
  process.kill(process.pid, 'SIGKILL');
}

/** A WebAssembly module that imports `proc_exit`, and calls it with this code when it starts. */
function callOfExit(code: number): Uint8Array<ArrayBuffer> {
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const section = (id: number, ...bytes: readonly number[]): number[] => [id, bytes.length, ...bytes];
  return Uint8Array.of(
    ...Buffer.from('\0asm\u0001\0\0\0'),
    // Types: (i32) -> (), and () -> ().
    ...section(1, 2, 0x60, 1, 0x7f, 0, 0x60, 0, 0),
    ...section(2, 1, ...name('wasi_snapshot_preview1'), ...name('proc_exit'), 0, 0),
    ...section(3, 1, 1),
    ...section(5, 1, 0, 1),
    ...section(7, 2, ...name('memory'), 2, 0, ...name('_start'), 0, 1),
    // i32.const, in two bytes of seven bits; call; end.
    ...section(10, 1, 7, 0, 0x41, (code & 0x7f) | 0x80, (code >> 7) & 1, 0x10, 0, 0x0b),
  );
}
