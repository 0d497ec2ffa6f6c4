import { createServer } from 'node:http';

/**
 * Some healthy nodes in one process, so that one signal stops or kills them all: `farm.js FIRST COUNT`. Each message from
 * the parent is how they answer from now on.
 */
export interface Manner {
  readonly status: number;
  readonly delayMs: number;
}

const [first = 0, count = 0] = process.argv.slice(2).map(Number);
let manner: Manner = { status: 200, delayMs: 5 };
let open = 0;

for (let port = first; port < first + count; port++) {
  createServer((_request, response) => {
    setTimeout(() => response.writeHead(manner.status).end('ok'), manner.delayMs);
  }).listen(port, '127.0.0.1', () => {
    open++;
    if (open === count) process.send?.('ready');
  });
}
process.on('message', (next) => {
  manner = next as Manner;
});
