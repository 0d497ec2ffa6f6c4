import { parentPort, workerData } from 'node:worker_threads';
import { type Database, answer, openDatabase } from './database.ts';
import { faultOf } from './fault.ts';
import type { Answer, Fault, Request } from './protocol.ts';

/** What the store's thread runs: it does as it is asked, one request after the other, and waits for the disk. */
const port = parentPort!;
let db: Database | undefined;
let fault: Fault | undefined;

function say(message: Answer): void {
  port.postMessage(message, []);
}

try {
  db = openDatabase(workerData as string);
  say({ kind: 'opened', kept: db.kept, movedTo: db.movedTo, unwritable: db.unwritable });
} catch (error) {
  fault = faultOf(error);
  say({ kind: 'failed', fault });
}
port.on('message', (request: Request) => say(db ? answer(db, request) : { kind: 'failed', fault: fault! }));
