import { type IncomingMessage, createServer } from 'node:http';
import { serve } from './servers.ts';

export interface Received {
  readonly request: IncomingMessage;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** The newest body, as JSON. */
  json(): ReturnType<typeof JSON.parse>;
}

/** Takes what hooks send, and answers so. */
export async function receiver(
  status: number,
  {
    said = '',
    headers = {},
    at = 0,
  }: { said?: string; headers?: Readonly<Record<string, string>>; at?: number } = {},
): Promise<Receiver> {
  const received: Received[] = [];
  const port = await serve(
    createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        received.push({ request, body });
        response.writeHead(status, { location: '/elsewhere', ...headers }).end(said);
      });
    }),
    at,
  );
  return {
    url: `http://127.0.0.1:${port}/in`,
    received,
    json: () => JSON.parse(received.at(-1)!.body),
  };
}
