import { Worker } from 'node:worker_threads';
import type { Answer, Fault, Request } from './protocol.ts';

/** What the thread runs is always what was built, also where tests run the rest from its source: Node 20 takes no TypeScript. */
const ENTRY = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/src/store/thread.js' : './thread.js',
  import.meta.url,
);

/** The thread that owns the database. A disk that hangs holds up this thread, and nobody else. */
export interface StoreThread {
  /** What came of opening the file. Never rejects. */
  readonly opened: Promise<Answer>;
  /** Resolves to `failed` where the thread ends before it has answered. Never rejects. */
  ask(request: Request): Promise<Answer>;
  /** Resolves once it is gone, with all that it held; never, where it hangs in a call of the system. */
  end(): Promise<void>;
}

export function startThread(path: string): StoreThread {
  const worker = new Worker(ENTRY, {
    workerData: path,
    env: {},
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
    name: 'vitald store',
  });
  // The agent does not live for the sake of its store.
  worker.unref();
  const waiting: ((answer: Answer) => void)[] = [];
  let fault: Fault | undefined;

  function end(why: Fault): void {
    fault ??= why;
    for (const resolve of waiting.splice(0)) resolve({ kind: 'failed', fault });
  }
  function expectAnswer(): Promise<Answer> {
    return new Promise((resolve) => waiting.push(resolve));
  }
  worker.on('message', (answer: Answer) => waiting.shift()?.(answer));
  worker.on('error', (error: NodeJS.ErrnoException) => {
    const kind = error.code === 'MODULE_NOT_FOUND' ? 'unavailable' : 'died';
    end({ kind, detail: error.message.split('\n')[0]! });
  });
  worker.on('exit', () => end({ kind: 'died', detail: '' }));

  return {
    opened: expectAnswer(),
    ask(request) {
      if (fault) return Promise.resolve({ kind: 'failed', fault });
      worker.postMessage(request, []);
      return expectAnswer();
    },
    async end() {
      await worker.terminate();
    },
  };
}
