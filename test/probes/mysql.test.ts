import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { mysql } from '../../probes/mysql/probe.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { reset } from '../support/reset.ts';
import { leftBehind } from '../support/resources.ts';
import { answering, closedPort, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

function packet(sequence: number, ...parts: (string | number[] | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (Buffer.isBuffer(part) ? part : Buffer.from(part as string))),
  );
  return Buffer.concat([Buffer.from([body.length & 0xff, body.length >> 8, 0, sequence]), body]);
}

const SSL = 0x800;
function greeting({
  version = '5.5.5-10.11.6-MariaDB',
  capabilities = 0x81_ff_f7_ff,
  protocol = 10,
} = {}): Buffer {
  return packet(
    0,
    [protocol],
    `${version}\0`,
    [1, 0, 0, 0],
    'abcdefgh\0',
    [
      capabilities & 0xff,
      (capabilities >>> 8) & 0xff,
      45,
      2,
      0,
      (capabilities >>> 16) & 0xff,
      capabilities >>> 24,
    ],
    [21],
    Buffer.alloc(10),
    'ijklmnopqrst\0',
    'mysql_native_password\0',
  );
}
const error = (sequence: number, number: number, text: string): Buffer =>
  packet(sequence, [0xff, number & 0xff, number >> 8], `#28000${text}`);
const bareError = (number: number, text: string): Buffer =>
  packet(0, [0xff, number & 0xff, number >> 8], text);
const ok = (sequence: number): Buffer => packet(sequence, [0, 0, 0, 2, 0, 0, 0]);
const DENIED = error(2, 1045, "Access denied for user 'vitald'");

const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
function rows(columns: readonly (readonly [string, number])[], ...values: (string | null)[][]): Buffer {
  let sequence = 1;
  const out = [packet(sequence++, [columns.length])];
  for (const [name, type] of columns) {
    const names = ['def', '', '', '', name, name].map(text);
    out.push(packet(sequence++, ...names, [0x0c, 45, 0, 255, 0, 0, 0, type, 0, 0, 0, 0, 0]));
  }
  out.push(packet(sequence++, [0xfe, 0, 0, 2, 0]));
  for (const row of values) {
    out.push(packet(sequence++, ...row.map((value) => (value === null ? [0xfb] : text(value)))));
  }
  out.push(packet(sequence++, [0xfe, 0, 0, 2, 0]));
  return Buffer.concat(out);
}
const ONE = rows([['1', 3]], ['1']);

type Answer = (sequence: number, body: Buffer, socket: Socket) => Buffer | undefined | void;

/** Greets, hears each packet of a client and answers what `answer` makes of it. */
function speaking(answer: Answer, hello = greeting()) {
  return (socket: Socket): void => {
    socket.write(hello);
    hearing(socket, answer);
  };
}
function hearing(socket: Socket, answer: Answer): void {
  let heard = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    while (heard.length >= 4 && heard.length >= 4 + heard.readUIntLE(0, 3)) {
      const end = 4 + heard.readUIntLE(0, 3);
      const [sequence, body] = [heard[3]!, heard.subarray(4, end)];
      heard = heard.subarray(end);
      const said = answer(sequence, body, socket);
      if (said) socket.write(said);
    }
  });
}
const wantsFile: Answer = (sequence, body, socket) =>
  sequence === 2 && body.length === 0
    ? ok(3)
    : serving(packet(1, [0xfb], '/etc/passwd'))(sequence, body, socket);
const serving =
  (answer: Buffer): Answer =>
  (sequence, body, socket) => {
    if (isQuit(sequence, body)) socket.end();
    return sequence === 1 ? ok(2) : body[0] === 3 ? answer : undefined;
  };
const isQuit = (sequence: number, body: Buffer): boolean => sequence === 0 && body[0] === 1;

async function knock(answer: Answer, hello?: Buffer, timeoutMs = 20_000) {
  const port = await tcpServer(speaking(answer, hello));
  return await attemptOnce(mysql, `127.0.0.1:${port}`, { timeoutMs });
}
const then = (said: Buffer, after: (socket: Socket) => unknown = (socket) => socket.end()): Answer => {
  return (sequence, _body, socket) => {
    if (sequence !== 1) return;
    socket.write(said);
    after(socket);
  };
};

describe('without a user', () => {
  test.each([
    ['denied', DENIED, 'ok', /^ready, refuses the login \(1045\)$/],
    ['only by socket', error(2, 1698, 'no'), 'ok', /1698/],
    ['only over TLS', error(2, 3159, 'no'), 'ok', /3159/],
    ['shutting down', error(2, 1053, 'Server shutdown in progress'), 'fail not_serving explicit', /shutdown/],
    ['too many by then', error(2, 1040, 'Too many connections'), 'fail status explicit', /\(1040\)/],
    ['another error', error(2, 1130, 'x\ny'), 'fail status explicit', /^x y \(1130\)$/],
    ['no answer to a login', packet(2, [7, 7]), 'fail protocol explicit', /no answer/],
    [
      'authentication without end',
      Buffer.concat(Array(20).fill(packet(2, [1, 3]))),
      'fail protocol explicit',
      /end/,
    ],
  ])('after the greeting: %s', async (_name, said, expected, message) => {
    const attempt = await knock(then(said));
    expect(verdict(attempt)).toBe(expected);
    expect(attempt.outcome.message).toMatch(message);
    expect(attempt.outcome.facts).toEqual(
      attempt.outcome.status === 'fail' && attempt.outcome.reason === 'protocol'
        ? undefined
        : { version: '10.11.6-MariaDB' },
    );
  });

  test('another way to authenticate is answered to its end, and a login that is let in ends with a quit', async () => {
    const heard: string[] = [];
    const attempt = await knock((sequence, body, socket) => {
      heard.push(`${sequence} ${body.toString('hex')}`);
      if (isQuit(sequence, body)) socket.end();
      if (sequence === 1) return packet(2, [0xfe], 'caching_sha2_password\0', 'x'.repeat(20), '\0');
      if (sequence === 3) return packet(4, [1, 4]);
      return sequence === 5 ? ok(6) : undefined;
    });
    expect(attempt.outcome).toEqual({
      status: 'ok',
      message: 'ready, lets us in',
      facts: { version: '10.11.6-MariaDB' },
    });
    expect(heard.slice(1)).toEqual(['3 ', '5 00', '0 01']);
  });

  test.each([
    [
      'too many connections',
      bareError(1040, 'Too many connections'),
      'fail status explicit',
      /^Too many connections \(1040\)$/,
    ],
    [
      'host is blocked',
      error(0, 1129, "Host 'x' is blocked"),
      'fail status explicit',
      /^Host 'x' is blocked \(1129\)$/,
    ],
    ['host is not allowed', bareError(1130, 'no'), 'fail status explicit', /1130/],
    ['an old protocol', greeting({ protocol: 9 }), 'fail protocol explicit', /not MySQL/],
    ['a greeting that is cut', packet(0, [10], '8.0'), 'fail protocol explicit', /not MySQL/],
    ['another protocol', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), 'fail protocol explicit', /not MySQL/],
    ['an empty packet', packet(0), 'fail protocol explicit', /not MySQL/],
    ['more than a greeting', Buffer.concat([greeting(), ok(1)]), 'fail protocol explicit', /more than/],
  ])('instead of the greeting: %s', async (_name, hello, expected, message) => {
    const attempt = await knock((_s, _b, socket) => void socket.end(), hello);
    expect(verdict(attempt)).toBe(expected);
    expect(attempt.outcome.message).toMatch(message);
  });

  test('silence before and after the greeting, half a greeting, an end, a reset', async () => {
    expect(verdict(await knock(() => {}, Buffer.alloc(0), 150))).toBe('fail timeout silent');
    expect(verdict(await knock(() => {}, undefined, 150))).toBe('fail timeout silent');
    expect(verdict(await knock(() => {}, greeting().subarray(0, 30), 150))).toBe('fail timeout silent');
    expect(verdict(await knock(then(DENIED.subarray(0, 9))))).toBe('fail closed explicit');
    expect(verdict(await knock(then(Buffer.alloc(0), reset)))).toBe('fail reset explicit');
    const port = await tcpServer((socket) => socket.end(greeting().subarray(0, 30)));
    expect(verdict(await attemptOnce(mysql, `127.0.0.1:${port}`))).toBe('fail closed explicit');
    const web = await answering('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(verdict(await attemptOnce(mysql, `127.0.0.1:${web}`, { timeoutMs: 150 }))).toBe(
      'fail timeout silent',
    );
    const attempt = await attemptOnce(mysql, `127.0.0.1:${await closedPort()}`);
    expect(verdict(attempt)).toBe('fail refused explicit');
  });

  test('the handshake is seen through: the server never sees us hang up in the middle of it', async () => {
    const ends: string[] = [];
    const port = await tcpServer((socket) => {
      socket.on('error', ({ message }) => ends.push(message));
      let answered = false;
      socket.on('end', () => ends.push(answered ? 'after the answer' : 'before the answer'));
      speaking((_sequence, _body, socket) => {
        answered = true;
        socket.end(DENIED);
      })(socket);
    });
    for (let i = 0; i < 5; i++) expect(verdict(await attemptOnce(mysql, `127.0.0.1:${port}`))).toBe('ok');
    await expect.poll(() => ends.length).toBe(5);
    expect(new Set(ends)).toEqual(new Set(['after the answer']));
  });
});

describe('with a user', () => {
  const loginTo = async (answer: Answer, written: object = {}, timeoutMs = 20_000) => {
    const port = await tcpServer(speaking(answer));
    const settings = { address: `127.0.0.1:${port}`, user: 'me', password: 'hush', ...written };
    return await attemptOnce(mysql, settings, { timeoutMs });
  };
  test('SELECT 1, or a query whose first row becomes facts', async () => {
    const asked: string[] = [];
    const plain = await loginTo((sequence, body, socket) => {
      asked.push(body.toString('latin1'));
      return serving(ONE)(sequence, body, socket);
    });
    expect(plain.outcome).toEqual({
      status: 'ok',
      message: 'ready, SELECT 1 was answered',
      facts: { version: '10.11.6-MariaDB' },
    });
    expect(asked.slice(1)).toEqual(['\u0003SELECT 1', '\u0001']);
    expect(asked[0]).toContain('me\0');
    const answer = rows(
      [
        ['lag', 3],
        ['name', 253],
        ['nothing', 253],
      ],
      ['7', 'a\tb', null],
      ['8', 'c', null],
    );
    const query = await loginTo(serving(answer), { query: 'q', expect: '^7$', database: 'shop' });
    expect(query.outcome).toEqual({
      status: 'ok',
      message: 'the query gave "7"',
      facts: { version: '10.11.6-MariaDB', lag: 7, name: 'a b' },
    });
    expect(verdict(await loginTo(serving(answer), { query: 'q', expect: '^0$' }))).toBe(
      'fail mismatch explicit',
    );
    expect((await loginTo(serving(rows([['a', 3]])), { query: 'q', expect: '.' })).outcome.message).toBe(
      'the query gave no row',
    );
    expect(verdict(await loginTo(serving(ok(1)), { query: 'do 1' }))).toBe('ok');
  });

  test.each([
    [
      'wrong password',
      then(error(2, 1045, 'Access denied')),
      'fail status explicit',
      /^Access denied \(1045\)$/,
    ],
    ['shutting down', then(error(2, 1053, 'bye')), 'fail not_serving explicit', /bye/],
    [
      'an error of the query',
      serving(error(1, 1146, 'no such table')),
      'fail status explicit',
      /no such table \(1146\)/,
    ],
    ['closes at the login', then(Buffer.alloc(0)), 'fail closed explicit', /closed/],
    ['resets at the login', then(Buffer.alloc(0), reset), 'fail reset explicit', /reset|RESET/],
    ['numbers out of order', then(ok(9)), 'fail protocol explicit', /out of order/],
    [
      'a packet beyond reason',
      then(Buffer.from([255, 255, 255, 2])),
      'fail protocol explicit',
      /out of order/,
    ],
    ['nonsense at the login', then(packet(2, [0x77, 1])), 'fail protocol explicit', /cannot be understood/],
    ['nonsense for an answer', serving(packet(1, [2], 'x')), 'fail closed explicit', /./],
    ['wants a file of ours', wantsFile, 'fail protocol explicit', /./],
    [
      'wants the password in plain',
      then(packet(2, [0xfe], 'mysql_clear_password\0\0'), () => {}),
      'fail protocol explicit',
      /clear/,
    ],
    [
      'rows without end, small ones',
      serving(rows([['1', 3]], ...Array.from({ length: 3_000 }, () => ['1']))),
      'fail too_large explicit',
      /more than 2000 columns and rows/,
    ],
    [
      'more columns than anybody reads',
      serving(packet(1, [0xfc, 1, 1])),
      'fail too_large explicit',
      /256 columns/,
    ],
    [
      'columns in their millions',
      serving(packet(1, [0xfd, 1, 1, 1])),
      'fail too_large explicit',
      /256 columns/,
    ],
    [
      'rows without end',
      serving(
        Buffer.concat([
          ONE.subarray(0, -9),
          ...Array.from({ length: 50 }, (_, i) => packet(i + 5, text('y'.repeat(250)), Buffer.alloc(60_000))),
        ]),
      ),
      'fail too_large explicit',
      /1MiB/,
    ],
  ])('%s', async (name, answer, expected, message) => {
    const said = vi.spyOn(console, 'error');
    const closing: Answer = (sequence, body, socket) => {
      const out = answer(sequence, body, socket);
      if (name === 'nonsense for an answer' && body[0] === 3) socket.end(out ?? Buffer.alloc(0));
      else return out;
    };
    const attempt = await loginTo(closing);
    expect(verdict(attempt)).toBe(expected);
    expect(attempt.outcome.message).toMatch(message);
    expect(said).not.toHaveBeenCalled();
    said.mockRestore();
  });

  test('silence at the login and inside the answer', async () => {
    expect(verdict(await loginTo(() => {}, {}, 200))).toBe('fail timeout silent');
    expect(verdict(await loginTo(serving(ONE.subarray(0, -3)), {}, 300))).toBe('fail timeout silent');
  });

  test('a trace tells the query and the rule, never the password', async () => {
    const told: TraceEntry[] = [];
    const port = await tcpServer(speaking(serving(ONE)));
    const settings = { address: `127.0.0.1:${port}`, user: 'me', password: 'hush', expect: '9' };
    await attemptOnce(mysql, settings, { onTrace: (entry) => told.push(entry) });
    expect(told).toContainEqual({ kind: 'sent', what: 'mysql', text: 'SELECT 1' });
    expect(told).toContainEqual({ kind: 'rule', rule: 'expect', passed: false, value: '1' });
    expect(JSON.stringify(told)).not.toContain('hush');
  });

  test('hundreds of attempts leave no socket and no timer behind', async () => {
    const answers: Answer[] = [
      serving(ONE),
      serving(error(1, 1146, 'no')),
      then(DENIED),
      then(Buffer.alloc(0), reset),
      then(ok(9)),
      then(packet(2, [0x77, 1])),
    ];
    const ports = await Promise.all(answers.map((answer) => tcpServer(speaking(answer))));
    const round = (): Promise<unknown> =>
      Promise.all(
        ports.flatMap((port) => [
          attemptOnce(
            mysql,
            { address: `127.0.0.1:${port}`, user: 'me', password: 'x' },
            { timeoutMs: 5_000 },
          ),
          attemptOnce(mysql, `127.0.0.1:${port}`, { timeoutMs: 5_000 }),
        ]),
      );
    await round();
    await new Promise((resolve) => setImmediate(resolve));
    const left = leftBehind();
    for (let i = 0; i < 30; i++) await round();
    await expect.poll(() => left.since()).toEqual({});
  });
});

describe.skipIf(opensslProblem())('tls', () => {
  const authority = opensslProblem() ? undefined : createAuthority();
  afterAll(() => authority?.remove());

  async function withTls(
    answer: Answer,
    written: object = {},
    hello = greeting({ capabilities: 0x81_ff_ff_ff }),
  ) {
    const { cert, key } = authority!.issue('localhost', 'DNS:localhost,IP:127.0.0.1');
    const asked: Buffer[] = [];
    const port = await tcpServer((socket) => {
      socket.write(hello);
      // What is under TLS may have come along, and stays for it.
      socket.once('readable', () => {
        asked.push(socket.read(36) as Buffer);
        const secured = new TLSSocket(socket, { isServer: true, cert, key });
        secured.on('error', () => {});
        hearing(secured, (sequence, body, via) => {
          asked.push(body);
          return answer(sequence, body, via);
        });
      });
    });
    const settings = { address: `127.0.0.1:${port}`, tls: { ca: authority!.certFile }, ...written };
    return { attempt: await attemptOnce(mysql, settings, { timeoutMs: 5_000 }), asked };
  }

  test('asked for in the protocol, the numbers of the packets go on over it', async () => {
    const { attempt, asked } = await withTls((sequence, _body, socket) => {
      if (sequence === 2) socket.end(error(3, 1045, 'no'));
    });
    expect(verdict(attempt)).toBe('ok');
    expect(attempt.outcome.facts).toMatchObject({ tls_subject: 'localhost', version: '10.11.6-MariaDB' });
    expect(asked[0]!.length).toBe(36);
    expect(asked[0]!.subarray(4)).toEqual(asked[1]!.subarray(0, 32));
    expect(asked[0]!.readUInt32LE(4) & SSL).toBe(SSL);
  });

  test('a login over it, and the password in plain where the server asks for all of it', async () => {
    const { attempt, asked } = await withTls(
      (sequence, body, socket) => {
        if (isQuit(sequence, body)) socket.end();
        if (sequence === 2) return packet(3, [0xfe], 'caching_sha2_password\0', 'x'.repeat(20), '\0');
        if (sequence === 4) return packet(5, [1, 4]);
        if (sequence === 6) return ok(7);
        return body[0] === 3 ? ONE : undefined;
      },
      { user: 'me', password: 'hush' },
    );
    expect(attempt.outcome).toMatchObject({ status: 'ok', message: 'ready, SELECT 1 was answered' });
    expect(attempt.outcome.facts).toMatchObject({ tls_subject: 'localhost' });
    expect(asked[0]!.subarray(4)).toEqual(asked[1]!.subarray(0, 32));
    expect(asked.map(String)).toContain('hush\0');
  });

  test('not offered; not trusted', async () => {
    const plain = greeting({ capabilities: 0x81_ff_f7_ff });
    for (const user of [undefined, 'me']) {
      const none = await withTls(() => {}, { user }, plain);
      expect(verdict(none.attempt)).toBe('fail tls explicit');
      expect(none.attempt.outcome.message).toBe('the server does not offer TLS');
      const { attempt } = await withTls(() => {}, { user, tls: true });
      expect(verdict(attempt)).toBe('fail tls explicit');
    }
  });
});

test('settings', () => {
  const result = mysql.settings.safeParse({ address: 'h:1', unix: '/x', database: 'd' });
  expect(result.error?.issues.map(({ message }) => message)).toEqual([
    'mysql takes either address or unix',
    'database needs a user',
  ]);
  expect(mysql.settings.safeParse('h:3306').success).toBe(true);
});
