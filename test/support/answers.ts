import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

export interface Answer {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an API answers, by path; a path with a query goes before the same without one. */
export type Answers = Readonly<Record<string, Answer | ((request: IncomingMessage) => Answer)>>;

const open = new Set<() => void>();

afterEach(() => {
  for (const close of open) close();
  open.clear();
});

/** An HTTP server that gives these answers, and 404 to all else; its URL. It goes with the test. */
export async function answersOf(answers: Answers): Promise<string> {
  const server = createServer((request, response) => {
    const url = request.url ?? '/';
    const found = answers[url] ?? answers[url.split('?', 1)[0]!] ?? { status: 404, json: {} };
    const { status = 200, json, text, headers } = typeof found === 'function' ? found(request) : found;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text ?? JSON.stringify(json));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.add(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
