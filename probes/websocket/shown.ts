import { ClientRequest, type IncomingMessage } from 'node:http';

const CREDENTIALS = /^((?:proxy-)?authorization|cookie|set-cookie): .*/gim;

/** A head as it goes over the wire, credentials left out. */
export function headOf(message: ClientRequest | IncomingMessage): string {
  const lines =
    message instanceof ClientRequest
      ? [
          `${message.method} ${message.path} HTTP/1.1`,
          ...Object.entries(message.getHeaders()).map(([name, value]) => `${name}: ${String(value)}`),
        ]
      : [
          `HTTP/${message.httpVersion} ${message.statusCode} ${message.statusMessage}`,
          ...Object.entries(message.headers).map(([name, value]) => `${name}: ${String(value)}`),
        ];
  return lines
    .join('\n')
    .replaceAll(CREDENTIALS, '$1: ***')
    .replaceAll(/[\0-\t\v-\u001f\u007f-\u009f]/g, '?');
}
