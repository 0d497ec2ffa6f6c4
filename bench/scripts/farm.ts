import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One node that is always fine. Its port goes to the parent. */
const farm = createServer((_request, response) => response.end('fine')).listen(0, '127.0.0.1', () => {
  process.send!((farm.address() as AddressInfo).port);
});
process.on('disconnect', () => process.exit());
