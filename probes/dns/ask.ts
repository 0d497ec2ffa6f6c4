import type { HostPort } from '../../src/core/address.ts';
import type { ProbeContext } from '../../src/core/probe.ts';
import { exchange } from '../wire/datagram.ts';
import { dial } from '../wire/dial.ts';
import { createHearing } from '../wire/hearing.ts';
import { ProbeFailure } from '../wire/reason.ts';
import type { Family } from '../wire/resolve.ts';
import { type Question, type Reply, decodeReply, encodeQuestion } from './message.ts';

/** What comes from the server and is not the answer is passed over, but not for ever. */
const MOST_STRANGE = 100;

export function askByUdp(
  server: HostPort,
  family: Family,
  question: Question,
  context: ProbeContext,
): Promise<Reply> {
  let strange = 0;
  return exchange(
    {
      peer: server,
      family,
      bytes: encodeQuestion(question),
      resend: true,
      take(datagram) {
        const reply = decodeReply(datagram, question);
        if (reply) return reply;
        context.trace?.({ kind: 'note', text: 'passed over a datagram that does not answer the question' });
        if (++strange > MOST_STRANGE) {
          throw new ProbeFailure('protocol', `${strange} datagrams, and none answers the question`);
        }
        return undefined;
      },
    },
    context,
  );
}

/** Over TCP a message comes after its length (RFC 7766 section 8). */
export async function askByTcp(
  server: HostPort,
  family: Family,
  question: Question,
  context: ProbeContext,
): Promise<Reply> {
  const { enter } = context;
  const connection = await dial(server, context, { family });
  try {
    const hearing = createHearing(connection, context);
    const query = encodeQuestion(question);
    enter('send');
    // In one packet: some servers read the length and take it for all there is.
    const head = Buffer.alloc(2);
    head.writeUInt16BE(query.length);
    connection.socket.write(Buffer.concat([head, query]));
    enter('wait');
    for (;;) {
      const heard = hearing.heard();
      if (heard.length > 0) enter('receive');
      const size = heard.length < 2 ? Infinity : heard.readUInt16BE(0);
      if (heard.length >= 2 + size) {
        const reply = decodeReply(heard.subarray(2, 2 + size), question);
        if (!reply) throw new ProbeFailure('protocol', 'the reply does not answer the question');
        return reply;
      }
      const ending = hearing.ending();
      if (ending instanceof Error) throw ending;
      if (ending !== undefined) {
        const how = ending === 'reset' ? 'reset' : 'closed';
        throw new ProbeFailure(how, `the server ${how} the connection before its reply was complete`);
      }
      await hearing.more(Infinity);
    }
  } finally {
    connection.close();
  }
}
