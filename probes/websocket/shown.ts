import { ClientRequest, type IncomingMessage } from 'node:http';
import { shownField, withoutParameters } from '../../src/core/secret-name.ts';

/** A head as it goes over the wire, credentials left out. */
export function headOf(message: ClientRequest | IncomingMessage): string {
  const [first, fields] =
    message instanceof ClientRequest
      ? [`${message.method} ${message.path} HTTP/1.1`, message.getHeaders()]
      : [`HTTP/${message.httpVersion} ${message.statusCode} ${message.statusMessage}`, message.headers];
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${shownField(name, String(value))}`);
  return [withoutParameters(first), ...lines].join('\n').replaceAll(/[\0-\t\v-\u001f\u007f-\u009f]/g, '?');
}
