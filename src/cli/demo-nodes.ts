import { type Server as HttpServer, createServer as createHttpServer } from 'node:http';
import { type Http2Server, createServer as createHttp2Server } from 'node:http2';
import { type AddressInfo, type Server, type Socket, createServer as createTcpServer } from 'node:net';

/** A few nodes on loopback, each with the character that the demo needs. */
export interface DemoNodes {
  /** Where they listen, as the variables of targets.example.yaml. */
  readonly env: Readonly<Record<string, string>>;
  /** The orders service dies: it takes no connection any more and drops those it has. */
  crashOrders(): void;
  close(): Promise<void>;
}

export async function startDemoNodes(): Promise<DemoNodes> {
  const orders = await listen(httpNode(0));
  const search = await listen(httpNode(350));
  const web = await listen(httpNode(5));
  const database = await listen(databaseNode());
  const cart = await listen(healthNode());
  const reports = await listen(hangingNode());
  const control = await listen(controlNode(() => orders.revive()));
  const nodes = [orders, search, web, database, cart, reports, control];
  return {
    env: {
      DEMO_ORDERS: orders.address,
      DEMO_SEARCH: search.address,
      DEMO_WEB: web.address,
      DEMO_DB: database.address,
      DEMO_CART: cart.address,
      DEMO_REPORTS: reports.address,
      DEMO_CONTROL: control.address,
    },
    crashOrders: () => void orders.close(),
    async close() {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}

interface Node {
  readonly address: string;
  /** Listens on the same port again. */
  revive(): Promise<void>;
  close(): Promise<void>;
}

/** Listens on a free port, and knows its connections so that it can die like a process does. */
async function listen(server: Server | HttpServer | Http2Server): Promise<Node> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  const open = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  await open(0);
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    revive: async () => {
      if (!server.listening) await open(port);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function httpNode(delayMs: number): HttpServer {
  return createHttpServer((_request, response) => {
    setTimeout(() => {
      response.setHeader('content-type', 'application/json');
      response.end('{"status":"ok"}');
    }, delayMs);
  });
}

/** Answers PING the way Redis does. */
function databaseNode(): Server {
  return createTcpServer((socket) => {
    socket.on('data', () => socket.write('+PONG\r\n'));
  });
}

/** Says SERVING to grpc.health.v1.Health/Check: one frame with the message `08 01`. */
function healthNode(): Http2Server {
  const server = createHttp2Server();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]));
  });
  return server;
}

/** Accepts and never says a word. */
function hangingNode(): Server {
  return createTcpServer((socket) => socket.resume());
}

/** What systemd would be on a real host: restarting takes it a moment. */
function controlNode(restart: () => Promise<void>): HttpServer {
  return createHttpServer((request, response) => {
    request.resume();
    setTimeout(() => {
      restart().then(
        () => response.end('restarted'),
        () => response.writeHead(500).end(),
      );
    }, 800);
  });
}
