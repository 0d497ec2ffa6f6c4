// A gRPC server with the official health service, for tests: `node grpc-server.mjs PORT`. Plain JavaScript, for it runs
// as a process of its own under every Node that the tests run under. SIGUSR2 makes it say NOT_SERVING, and back.
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

const CART = 'shop.v1.Cart';
const health = new HealthImplementation({ '': 'SERVING', [CART]: 'SERVING', 'shop.v1.Till': 'NOT_SERVING' });
const server = new Server();
health.addToServer(server);

let serving = true;
process.on('SIGUSR2', () => {
  serving = !serving;
  health.setStatus(CART, serving ? 'SERVING' : 'NOT_SERVING');
});

server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
