import type { Socket } from 'node:net';
import { tcp } from '../../probes/tcp/probe.ts';
import { attemptOnce } from './attempt.ts';
import { tcpServer } from './servers.ts';
import { verdict } from './verdict.ts';

/** One attempt of the tcp probe at a server that behaves so: the verdict and the message. */
export async function judged(
  serve: (socket: Socket) => void,
  settings: object,
  timeoutMs = 10_000,
): Promise<string> {
  const address = `127.0.0.1:${await tcpServer(serve)}`;
  const attempt = await attemptOnce(tcp, { address, ...settings }, { timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

export const WELL = 'ok: the dialogue went as expected';

const REPLIES: Readonly<Record<string, string>> = {
  EHLO: '250-mail\r\n250-SIZE 100\r\n250-STARTTLS\r\n250 HELP\r\n',
  NOOP: '250 2.0.0 Ok\r\n',
  QUIT: '221 Bye\r\n',
};

/** Greets, and replies to each line. */
export function smtp(socket: Socket): void {
  socket.write('220 mail ESMTP\r\n');
  socket.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString('latin1').split(/(?<=\n)/)) {
      const reply = REPLIES[line.slice(0, 4)];
      if (reply !== undefined) socket.write(reply);
    }
  });
}
