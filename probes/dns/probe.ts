import { randomInt } from 'node:crypto';
import { Resolver } from 'node:dns';
import { isIP } from 'node:net';
import { type HostPort, formatAddress } from '../../src/core/address.ts';
import type { Outcome } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { OwnTrouble, outcomeOf } from '../wire/reason.ts';
import { askByTcp, askByUdp } from './ask.ts';
import { judge } from './judge.ts';
import type { Question, Reply } from './message.ts';
import { reverseName } from './record.ts';
import { type DnsSettings, settings } from './settings.ts';

const DNS_PORT = 53;

/** A name server, asked one question. */
export const dns: Probe<DnsSettings> = {
  kind: 'dns',
  settings,
  peer: ({ server }) => server,

  async attempt(settings, context) {
    try {
      return await ask(settings, settings.server ?? systemServer(), context);
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

/** As the system has it now: the file may have changed. */
function systemServer(): HostPort {
  const [first] = new Resolver().getServers();
  if (first === undefined) throw new OwnTrouble('the system has no resolver');
  if (isIP(first) !== 0) return { host: first, port: DNS_PORT };
  const at = first.lastIndexOf(':');
  return { host: first.slice(0, at).replaceAll(/[[\]]/g, ''), port: Number(first.slice(at + 1)) };
}

async function ask(settings: DnsSettings, server: HostPort, context: ProbeContext): Promise<Outcome> {
  const { name, type, transport, recursion } = settings;
  const family = settings.family === 'any' ? 0 : settings.family;
  const by = { udp: askByUdp, tcp: askByTcp };
  let question: Question = {
    // A forger has to guess it, and the port.
    id: randomInt(0x1_00_00),
    name: isIP(name) === 0 ? name.replace(/(?<=.)\.$/, '') : reverseName(name),
    type,
    recursion,
    edns: true,
  };
  async function put(over: 'udp' | 'tcp'): Promise<Reply> {
    const { trace } = context;
    const text = `${question.name} IN ${question.type}`;
    trace?.({ kind: 'sent', what: `dns over ${over} to ${formatAddress(server)}`, text });
    const reply = await by[over](server, family, question, context);
    trace?.({ kind: 'received', what: `dns over ${over}`, text: shown(reply) });
    return reply;
  }
  let over = transport;
  let reply = await put(over);
  // RFC 6891 section 7: an old server may not know of EDNS.
  if ((reply.rcode === 'FORMERR' || reply.rcode === 'NOTIMP') && !reply.edns) {
    context.trace?.({ kind: 'note', text: 'asked again without EDNS' });
    question = { ...question, edns: false };
    reply = await put(over);
  }
  if (reply.truncated && over === 'udp') {
    over = 'tcp';
    reply = await put(over);
  }
  return judge(reply, settings, over, context);
}

function shown({ rcode, authoritative, truncated, records }: Reply): string {
  const flags = [...(authoritative ? ['authoritative'] : []), ...(truncated ? ['truncated'] : [])];
  return [[rcode, ...flags].join(', '), ...records.map(({ text, ttl }) => `${ttl} ${text}`)].join('\n');
}
