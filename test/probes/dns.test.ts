import { createServer, type Socket } from 'node:net';
import { type Answer, TRUNCATED_RESPONSE, decode } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { dns } from '../../probes/dns/probe.ts';
import { reverseName } from '../../probes/dns/record.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { type Reply, closedUdpPort, udpServer } from '../support/datagrams.ts';
import { a, framed, onQuery, rcode, replyTo } from '../support/dns-server.ts';
import { serve, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

const NAME = 'example.internal';
const base = { name: NAME, class: 'IN' as const, ttl: 60 };

async function judged(
  serve: (query: Buffer, reply: Reply) => void,
  settings: object = {},
  timeoutMs = 10_000,
): Promise<string> {
  const server = `127.0.0.1:${await udpServer(serve)}`;
  const attempt = await attemptOnce(dns, { name: NAME, server, ...settings }, { timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

const answering =
  (answers: Answer[], flags?: number) =>
  (query: Buffer, reply: Reply): void =>
    reply(replyTo(query, answers, flags === undefined ? {} : { flags }));

test('the short form, the question as it goes out, and the facts', async () => {
  let query: Buffer = Buffer.alloc(0);
  const port = await udpServer((bytes, reply) => {
    query = bytes;
    reply(replyTo(bytes, [a('10.0.0.2'), a('10.0.0.1', 'Example.Internal.', 30)]));
  });
  const { outcome } = await attemptOnce(dns, `${NAME}@127.0.0.1:${port}`);
  expect(outcome).toEqual({
    status: 'ok',
    message: '10.0.0.1, 10.0.0.2',
    facts: {
      rcode: 'NOERROR',
      authoritative: true,
      transport: 'udp',
      answer_count: 2,
      answers: '10.0.0.1, 10.0.0.2',
      ttl: 30,
    },
  });
  expect(decode(query)).toMatchObject({
    type: 'query',
    flag_rd: true,
    questions: [{ name: NAME, type: 'A', class: 'IN' }],
    additionals: [{ type: 'OPT', udpPayloadSize: 1232 }],
  });
});

test("without a server it is the system's", async () => {
  const settings = dns.settings.parse(NAME);
  expect(settings.server).toBeUndefined();
  expect(dns.peer?.(settings)).toBeUndefined();
});

describe('records of each type, as a zone file has them', () => {
  const records: [string, Answer, string][] = [
    ['A', a('10.0.0.1'), '10.0.0.1'],
    ['AAAA', { ...base, type: 'AAAA', data: '2001:db8::1' }, '2001:0DB8:0:0::1'],
    ['CNAME', { ...base, type: 'CNAME', data: 'Other.internal' }, 'other.internal.'],
    ['MX', { ...base, type: 'MX', data: { preference: 10, exchange: 'mail.internal' } }, '10 mail.internal.'],
    ['TXT', { ...base, type: 'TXT', data: ['v=spf1 ', '-all'] }, 'v=spf1 -all'],
    ['NS', { ...base, type: 'NS', data: 'ns1.internal' }, 'NS1.internal'],
    [
      'SOA',
      {
        ...base,
        type: 'SOA',
        data: {
          mname: 'ns1.internal',
          rname: 'root.internal',
          serial: 7,
          refresh: 1,
          retry: 2,
          expire: 3,
          minimum: 4,
        },
      },
      'ns1.internal root.internal 7 1 2 3 4',
    ],
    [
      'SRV',
      { ...base, type: 'SRV', data: { priority: 1, weight: 2, port: 443, target: 'web.internal' } },
      '1 2 443 web.internal',
    ],
    ['PTR', { ...base, type: 'PTR', data: 'host.internal' }, 'host.internal'],
    [
      'CAA',
      { ...base, type: 'CAA', data: { flags: 0, tag: 'issue', value: 'ca.test' } },
      '0 issue "ca.test"',
    ],
  ];
  test.each(records)('%s', async (type, answer, expected) => {
    const settings = { type, expect: { answers: expected } };
    expect(await judged(answering([answer]), settings)).toMatch(/^ok: /);
    expect(await judged(answering([]), { type })).toBe(
      `fail mismatch explicit: there are 0 ${type} records, and there should be 1`,
    );
  });
});

describe('what is expected', () => {
  const two = answering([a('10.0.0.1'), a('10.0.0.2')]);
  test.each([
    [{ answers: ['10.0.0.2', '10.0.0.1'] }, 'ok: 10.0.0.1, 10.0.0.2'],
    [
      { answers: ['10.0.0.1', '10.0.0.3'] },
      'fail mismatch explicit: "10.0.0.3" is not among the answers: 10.0.0.1, 10.0.0.2',
    ],
    [{ pattern: String.raw`\.2$` }, 'ok: 10.0.0.1, 10.0.0.2'],
    [{ pattern: '^192' }, 'fail mismatch explicit: no answer matches /^192/: 10.0.0.1, 10.0.0.2'],
    [{ min_answers: 2 }, 'ok: 10.0.0.1, 10.0.0.2'],
    [{ min_answers: 3 }, 'fail mismatch explicit: there are 2 A records, and there should be 3'],
    [{ authoritative: true }, 'ok: 10.0.0.1, 10.0.0.2'],
    [{ authoritative: false }, 'fail mismatch explicit: the answer is authoritative'],
    [{ rcode: 'NXDOMAIN' }, 'fail status explicit: the server says NOERROR'],
  ])('%j -> %s', async (rules, expected) => expect(await judged(two, { expect: rules })).toBe(expected));

  test.each([
    [1, 'FORMERR'],
    [2, 'SERVFAIL'],
    [3, 'NXDOMAIN'],
    [4, 'NOTIMP'],
    [5, 'REFUSED'],
    [14, 'RCODE14'],
  ])('response code %i is %s', async (code, name) => {
    const says = answering([], rcode(code));
    expect(await judged(says)).toBe(`fail status explicit: the server says ${name}`);
    if (code < 10) expect(await judged(says, { expect: { rcode: name } })).toBe(`ok: ${name}`);
  });

  test('an answer without records can be right', async () =>
    expect(await judged(answering([]), { expect: { min_answers: 0 } })).toBe('ok: NOERROR'));

  test('aliases are followed, and records of others do not count', async () => {
    const chain: Answer[] = [
      { ...base, type: 'CNAME', data: 'b.internal' },
      { ...base, name: 'B.internal', type: 'CNAME', data: 'c.internal' },
      a('10.0.0.9', 'c.internal'),
      a('10.6.6.6', 'evil.internal'),
    ];
    expect(await judged(answering(chain))).toBe('ok: 10.0.0.9');
    const circle: Answer[] = [
      { ...base, type: 'CNAME', data: 'b.internal' },
      { ...base, name: 'b.internal', type: 'CNAME', data: NAME },
    ];
    expect(await judged(answering(circle))).toContain('there are 0 A records');
  });

  test('a PTR by the address', async () => {
    let asked = '';
    const serve = (query: Buffer, reply: Reply): void => {
      asked = decode(query).questions![0]!.name;
      reply(replyTo(query, [{ ...base, name: asked, type: 'PTR', data: 'host.internal' }]));
    };
    expect(await judged(serve, { name: '10.1.2.3', type: 'PTR' })).toBe('ok: host.internal');
    expect(asked).toBe('3.2.1.10.in-addr.arpa');
    expect(reverseName('2001:db8::567:89ab')).toBe(
      'b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
    );
  });
});

describe('datagrams that are not the answer', () => {
  const wrong: [string, (query: Buffer) => Buffer][] = [
    [
      'another id',
      (query) => {
        const reply = replyTo(query, [a('10.6.6.6')]);
        reply.writeUInt16BE((reply.readUInt16BE(0) + 1) & 0xffff, 0);
        return reply;
      },
    ],
    ['another name', (query) => replyTo(query, [], { questions: [{ name: 'evil.internal', type: 'A' }] })],
    ['another type', (query) => replyTo(query, [], { questions: [{ name: NAME, type: 'MX' }] })],
    ['no question', (query) => replyTo(query, [], { questions: [] })],
    ['the query itself', (query) => query],
    ['nothing', () => Buffer.alloc(0)],
    ['three bytes', () => Buffer.from('abc')],
  ];
  test.each(wrong)('%s is passed over', async (_what, make) => {
    const both = (query: Buffer, reply: Reply): void => {
      reply(make(query));
      reply(replyTo(query, [a('10.0.0.1')]));
    };
    expect(await judged(both)).toBe('ok: 10.0.0.1');
    const only = (query: Buffer, reply: Reply): void => reply(make(query));
    expect(await judged(only, {}, 100)).toBe('fail timeout silent: no answer within 100ms');
  });

  test('a flood of them is not heard for ever', async () => {
    const flood = (_query: Buffer, reply: Reply): void => {
      for (let index = 0; index < 500; index++) reply(Buffer.from('abc'));
    };
    expect(await judged(flood)).toMatch(/^fail protocol explicit: 101 datagrams/);
  });
});

describe('malformed replies', () => {
  const right = (query: Buffer): Buffer => replyTo(query, [a('10.0.0.1'), a('10.0.0.2')]);
  const broken: [string, (reply: Buffer) => Buffer, RegExp][] = [
    ['cut off inside a record', (reply) => reply.subarray(0, -3), /protocol/],
    [
      'cut off inside the head of a record',
      (reply) => reply.subarray(0, -12),
      /protocol.*: the reply is cut short$/,
    ],
    ['cut off inside the question', (reply) => reply.subarray(0, 20), /protocol.*: the reply is cut short$/],
    ['cut off inside the header', (reply) => reply.subarray(0, 5), /protocol.*: the reply is cut short$/],
    ['fewer records than it says', (reply) => (reply.writeUInt16BE(9, 6), reply), /protocol/],
    ['an address of three bytes', (reply) => (reply.writeUInt16BE(3, reply.length - 6), reply), /protocol/],
    ['thousands of records', (reply) => (reply.writeUInt16BE(60_000, 6), reply), /too_large/],
    [
      'a name that points to itself',
      (reply) => (reply.writeUInt16BE(0xc000 + 12 + NAME.length + 6, 12 + NAME.length + 6), reply),
      /protocol/,
    ],
  ];
  test.each(broken)('%s', async (_what, spoil, reason) => {
    expect(await judged((query, reply) => reply(spoil(right(query))))).toMatch(reason);
  });

  test('chains of pointers, which a decoder would walk for each record, are refused', async () => {
    const chain = (query: Buffer, reply: Reply): void => {
      const front = replyTo(query, []);
      const pointers = Buffer.alloc(16_000);
      const start = front.length + 11;
      for (let at = 0; at < pointers.length; at += 2) {
        pointers.writeUInt16BE(0xc000 + (at === 0 ? 12 : start + at - 2), at);
      }
      // A record of a private type holds the chain; the others are named after its end.
      const holder = Buffer.from('00ff00000100000000', 'hex');
      const size = Buffer.alloc(2);
      size.writeUInt16BE(pointers.length);
      const record = Buffer.from('0000000100010000003c00040a000001', 'hex');
      record.writeUInt16BE(0xc000 + start + pointers.length - 2);
      const records = Array.from({ length: 255 }, () => record);
      const message = Buffer.concat([front, holder, size, pointers, ...records]);
      message.writeUInt16BE(256, 6);
      reply(message);
    };
    expect(await judged(chain)).toBe('fail protocol explicit: the reply is malformed: a name has no end');
  });
});

test('refused, silent, and lost once', async () => {
  const closed = { name: NAME, server: `127.0.0.1:${await closedUdpPort()}` };
  expect(verdict(await attemptOnce(dns, closed))).toBe('fail refused explicit');
  expect(await judged(() => {}, {}, 100)).toBe('fail timeout silent: no answer within 100ms');
  let seen = 0;
  const deaf = (query: Buffer, reply: Reply): void => {
    if (++seen === 2) reply(replyTo(query, [a('10.0.0.1')]));
  };
  expect(await judged(deaf, {}, 1_000)).toBe('ok: 10.0.0.1');
});

test('a server that knows nothing of EDNS is asked without', async () => {
  const old = (query: Buffer, reply: Reply): void => {
    const modern = decode(query).additionals!.length > 0;
    reply(modern ? replyTo(query, [], { flags: rcode(1), questions: [] }) : replyTo(query, [a('10.0.0.1')]));
  };
  expect(await judged(old)).toBe('ok: 10.0.0.1');
});

describe('over TCP', () => {
  async function asked(serve: (socket: Socket) => void, settings = {}, timeoutMs = 10_000): Promise<string> {
    const server = `127.0.0.1:${await tcpServer(serve)}`;
    const written = { name: NAME, server, transport: 'tcp', ...settings };
    const attempt = await attemptOnce(dns, written, { timeoutMs });
    return `${verdict(attempt)}: ${attempt.outcome.message}`;
  }
  const right = (query: Buffer): Buffer => framed(replyTo(query, [a('10.0.0.1')]));

  test('the reply, whole and byte by byte', async () => {
    expect(await asked((socket) => onQuery(socket, (query) => socket.write(right(query))))).toBe(
      'ok: 10.0.0.1',
    );
    const trickle = (socket: Socket): void =>
      onQuery(socket, (query) => {
        socket.setNoDelay(true);
        const bytes = [...right(query)];
        const next = (): void => {
          const byte = bytes.shift();
          if (byte !== undefined) socket.write(Buffer.of(byte), () => setTimeout(next, 1));
        };
        next();
      });
    expect(await asked(trickle)).toBe('ok: 10.0.0.1');
  });

  test.each([
    ['closes without a word', (socket: Socket) => void socket.end(), 'fail closed explicit'],
    [
      'closes inside the reply',
      (socket: Socket) => onQuery(socket, (query) => socket.end(right(query).subarray(0, 9))),
      'fail closed explicit',
    ],
    [
      'says something else',
      (socket: Socket) => void socket.end(`HTTP/1.1 400 Bad Request\r\n${' '.repeat(20_000)}`),
      'fail protocol explicit',
    ],
    [
      'answers another question',
      (socket: Socket) =>
        onQuery(socket, (query) => socket.end(framed(replyTo(query, [], { id: 1, questions: [] })))),
      'fail protocol explicit',
    ],
  ])('%s', async (_what, serve, expected) => expect(await asked(serve)).toContain(expected));

  test('silence', async () => expect(await asked(() => {}, {}, 100)).toContain('fail timeout silent'));

  test('what did not fit into a datagram is asked for again', async () => {
    const tcp = createServer((socket) => {
      socket.on('error', () => {});
      onQuery(socket, (query) => socket.write(right(query)));
    });
    // TCP first: its numbers are the scarce ones.
    const port = await serve(tcp);
    const cut = (query: Buffer, reply: Reply): void =>
      reply(replyTo(query, [], { flags: TRUNCATED_RESPONSE }));
    await udpServer(cut, '127.0.0.1', port);
    const trace: TraceEntry[] = [];
    const { outcome } = await attemptOnce(dns, `${NAME}@127.0.0.1:${port}`, {
      onTrace: (entry) => trace.push(entry),
    });
    expect(outcome).toMatchObject({ status: 'ok', facts: { transport: 'tcp', answers: '10.0.0.1' } });
    expect(trace.filter(({ kind }) => kind !== 'note')).toEqual([
      { kind: 'sent', what: `dns over udp to 127.0.0.1:${port}`, text: 'example.internal IN A' },
      { kind: 'received', what: 'dns over udp', text: 'NOERROR, truncated' },
      { kind: 'sent', what: `dns over tcp to 127.0.0.1:${port}`, text: 'example.internal IN A' },
      { kind: 'received', what: 'dns over tcp', text: 'NOERROR, authoritative\n60 10.0.0.1' },
      { kind: 'rule', rule: 'expect.rcode', passed: true, value: 'NOERROR' },
      { kind: 'rule', rule: 'expect.min_answers', passed: true, value: '1' },
    ]);
  });
});

describe('settings', () => {
  const parsed = (written: unknown) => dns.settings.safeParse(written);
  test.each([
    ['a', undefined],
    ['a@ns.internal', { host: 'ns.internal', port: 53 }],
    ['a@10.0.0.1:5353', { host: '10.0.0.1', port: 5353 }],
    ['a@::1', { host: '::1', port: 53 }],
    ['a@[::1]', { host: '::1', port: 53 }],
    ['a@[::1]:5353', { host: '::1', port: 5353 }],
  ])('the server of %s', (written, server) => expect(parsed(written).data?.server).toEqual(server));

  test.each([
    [{ name: '10.0.0.1' }, '10.0.0.1 is an address: ask for its PTR'],
    [{ name: 'a..b' }, '"a..b" is not a name: there is an empty label'],
    [{ name: 'a b' }, '"a b" is not a name; write IDNs as xn--...'],
    [{ name: 'x'.repeat(64) }, 'the name is too long: 63 bytes a label, 253 in all'],
    [{ name: 'a', expect: { answers: 'b' } }, '"b" is not what an A record holds'],
    [{ name: 'a', expect: { rcode: 'NXDOMAIN', answers: '10.0.0.1' } }, 'NXDOMAIN comes without records'],
    [{ name: 'a', server: '10.0.0.1:0' }, 'port 0 is out of range (1 to 65535)'],
    [{ name: 'a', server: '10.0.0.1', family: 6 }, '10.0.0.1 is not an IPv6 address'],
  ])('%j: %s', (written, message) => expect(parsed(written).error?.issues[0]?.message).toBe(message));
});
