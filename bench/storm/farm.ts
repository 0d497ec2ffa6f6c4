import { createServer } from 'node:http';

/** Nodes in one process: `farm.js FIRST COUNT SIZE`. Each message from the parent is how many of each group fail from now on. */
const [first = 0, count = 0, size = 1] = process.argv.slice(2).map(Number);
let failing = 0;
let open = 0;

for (let node = 0; node < count; node++) {
  createServer((_request, response) => {
    response.writeHead(node % size < failing ? 503 : 200).end();
  }).listen(first + node, '127.0.0.1', () => {
    open++;
    if (open === count) process.send?.('ready');
  });
}
process.on('message', (next) => {
  failing = Number(next);
});
