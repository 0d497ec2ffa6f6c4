import { type Server, createServer } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Duplex } from 'node:stream';
import { serve } from './servers.ts';

export interface SmtpOptions {
  /** Offers STARTTLS with it. */
  readonly context?: SecureContext;
  /** TLS from the start. */
  readonly implicit?: boolean;
  /** Wants this login. */
  readonly login?: { readonly username: string; readonly password: string };
  /** What it replies to a command of this name, in place of what it would. */
  readonly replies?: Readonly<Record<string, string>>;
}

export interface Mail {
  readonly commands: readonly string[];
  readonly text: string;
  readonly secure: boolean;
}

/** An SMTP server that keeps what it is sent. */
export async function smtpServer(
  options: SmtpOptions = {},
): Promise<{ address: string; mails: Mail[]; connections(): number }> {
  const mails: Mail[] = [];
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    if (options.implicit) talk(secured(socket, options.context!), options, mails, true);
    else talk(socket, options, mails, false);
  });
  return { address: `127.0.0.1:${await serve(server)}`, mails, connections: () => connections };
}

function secured(socket: Duplex, secureContext: SecureContext): TLSSocket {
  const tls = new TLSSocket(socket, { isServer: true, secureContext });
  tls.on('error', () => {});
  return tls;
}

function talk(socket: Duplex, options: SmtpOptions, mails: Mail[], secure: boolean, greet = true): void {
  const { context, login, replies = {} } = options;
  const commands: string[] = [];
  let pending = '';
  let data: string | undefined;
  const say = (reply: string): void => void socket.write(`${reply}\r\n`);

  function extensions(): string {
    const offered = [...(context && !secure ? ['STARTTLS'] : []), ...(login ? ['AUTH PLAIN'] : []), 'HELP'];
    return offered.map((name, index) => `250${index === offered.length - 1 ? ' ' : '-'}${name}`).join('\r\n');
  }

  function answer(line: string): void {
    commands.push(line);
    const verb = line.slice(0, 4).toUpperCase();
    if (replies[verb] !== undefined) return say(replies[verb]);
    switch (verb) {
      case 'EHLO':
        return say(`250-mail.example.com\r\n${extensions()}`);
      case 'STAR': {
        say('220 Ready to start TLS');
        socket.removeAllListeners('data');
        return talk(secured(socket, context!), options, mails, true, false);
      }
      case 'AUTH': {
        const said = Buffer.from(line.split(' ').at(-1)!, 'base64').toString();
        const right = said === `\0${login?.username}\0${login?.password}`;
        return say(right ? '235 2.7.0 Accepted' : '535 5.7.8 Bad credentials');
      }
      case 'DATA':
        data = '';
        return say('354 End data with <CR><LF>.<CR><LF>');
      case 'QUIT':
        say('221 Bye');
        return void socket.end();
      default:
        return say('250 2.0.0 Ok');
    }
  }

  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1');
    for (let end = pending.indexOf('\r\n'); end !== -1; end = pending.indexOf('\r\n')) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 2);
      if (data === undefined) answer(line);
      else if (line === '.') {
        mails.push({ commands: [...commands], text: data, secure });
        data = undefined;
        say(replies['END'] ?? '250 2.0.0 Ok: queued as 12345');
      } else data += `${line.replace(/^\./, '')}\n`;
    }
  });
  if (greet) say(replies['GREETING'] ?? '220 mail.example.com ESMTP');
}
