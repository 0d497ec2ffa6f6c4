import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { postgres } from '../../probes/postgres/probe.ts';
import { missingPackage } from '../../probes/sql/settings.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { attemptOnce } from '../support/attempt.ts';
import { createAuthority, opensslProblem } from '../support/certs.ts';
import { reset } from '../support/reset.ts';
import { leftBehind } from '../support/resources.ts';
import { closedPort, serve, tcpServer } from '../support/servers.ts';
import { verdict } from '../support/verdict.ts';

function message(type: string, ...parts: (string | number | Buffer)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part);
      if (Buffer.isBuffer(part)) return part;
      const four = Buffer.alloc(4);
      four.writeInt32BE(part);
      return four;
    }),
  );
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from(type), length, body]);
}
const short = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);

const error = (code: string, text: string): Buffer =>
  message('E', `SFATAL\0VFATAL\0C${code}\0M${text}\0Fx.c\0\0`);
const SASL = message('R', 10, 'SCRAM-SHA-256\0\0');
const WELCOME = Buffer.concat([
  message('R', 0),
  message('S', 'server_version\u000017.2\0'),
  message('S', 'in_hot_standby\0on\0'),
  message('K', 1, 2),
  message('Z', 'I'),
]);

/** Hears each message of a client and answers what `answer` makes of it; the start-up is called `start`. */
function speaking(answer: (type: string, body: string, socket: Socket) => Buffer | undefined | void) {
  return (socket: Socket): void => {
    let heard = Buffer.alloc(0);
    let started = false;
    socket.on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
      for (;;) {
        const head = started ? 5 : 4;
        if (heard.length < head) return;
        const length = heard.readInt32BE(head - 4);
        if (heard.length < head - 4 + length) return;
        const type = started ? heard.toString('latin1', 0, 1) : length === 8 ? 'ssl' : 'start';
        const body = heard.toString('latin1', head, head - 4 + length);
        heard = heard.subarray(head - 4 + length);
        if (type === 'start') started = true;
        const said = answer(type, body, socket);
        if (said) socket.write(said);
      }
    });
  };
}

async function knockOn(said: Buffer | string, then?: (socket: Socket) => void, timeoutMs = 20_000) {
  const port = await tcpServer(
    speaking((type, _body, socket) => {
      if (type !== 'start') return undefined;
      socket.write(said);
      then?.(socket);
    }),
  );
  return await attemptOnce(postgres, `127.0.0.1:${port}`, { timeoutMs });
}

const end = (socket: Socket): void => void socket.end();

describe('without a user', () => {
  test.each([
    ['asks for a password', SASL, undefined, 'ok', /^ready, asks for a password \(SASL\)$/],
    ['asks for GSSAPI', message('R', 7), undefined, 'ok', /GSSAPI/],
    ['lets us in', WELCOME, undefined, 'ok', /^ready, lets us in$/],
    ['no such user', error('28000', 'no'), end, 'ok', /^ready, refuses the login \(28000\)$/],
    ['no such database', error('3D000', 'no'), end, 'ok', /refuses/],
    [
      'starting up',
      error('57P03', 'the database system is starting up'),
      end,
      'fail not_serving explicit',
      /^the database system is starting up \(57P03\)$/,
    ],
    ['shutting down', error('57P01', 'bye'), end, 'fail not_serving explicit', /bye/],
    ['too many connections', error('53300', 'sorry, too many clients'), end, 'fail status explicit', /53300/],
    [
      'an error of another kind',
      error('XX000', 'oops\ninjected'),
      end,
      'fail status explicit',
      /^oops injected/,
    ],
    ['an error without fields', message('E', '\0'), end, 'fail status explicit', /no code/],
    ['closes without a word', '', end, 'fail closed explicit', /closed/],
    ['resets', '', reset, 'fail reset explicit', /reset|RESET/],
    ['closes inside a message', SASL.subarray(0, 7), end, 'fail closed explicit', /closed/],
    [
      'another protocol',
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      undefined,
      'fail protocol explicit',
      /not PostgreSQL/,
    ],
    [
      'a length beyond reason',
      Buffer.from('R\u007f\u007f\u007f\u007f'),
      undefined,
      'fail protocol explicit',
      /not/,
    ],
    ['a length below its own', Buffer.from('R\0\0\0\u0003'), undefined, 'fail protocol explicit', /not/],
    ['an unknown authentication', message('R', 99), undefined, 'fail protocol explicit', /not/],
    [
      'notices without end',
      Buffer.concat(Array(500).fill(message('N', 'x\0\0'))),
      undefined,
      'fail protocol explicit',
      /end/,
    ],
    ['a message that does not belong', message('T', 0), undefined, 'fail protocol explicit', /not/],
  ])('%s', async (_name, said, then, expected, text) => {
    const attempt = await knockOn(said, then);
    expect(verdict(attempt)).toBe(expected);
    expect(attempt.outcome.message).toMatch(text);
    expect(attempt.latencyMs).toBeLessThan(15_000);
  });

  test('facts, where the server lets us in', async () => {
    expect((await knockOn(WELCOME)).outcome.facts).toEqual({ version: '17.2', in_recovery: true });
  });

  test('silence, a half answer, and one byte at a time', async () => {
    expect(verdict(await knockOn('', undefined, 150))).toBe('fail timeout silent');
    expect(verdict(await knockOn(SASL.subarray(0, 6), undefined, 150))).toBe('fail timeout silent');
    const port = await tcpServer((socket) => {
      socket.setNoDelay(true);
      socket.once('data', () => {
        let at = 0;
        const drip = setInterval(() => {
          socket.write(WELCOME.subarray(at, ++at));
          if (at === WELCOME.length) clearInterval(drip);
        }, 1);
      });
    });
    expect(verdict(await attemptOnce(postgres, `127.0.0.1:${port}`, { timeoutMs: 20_000 }))).toBe('ok');
  });

  test('nobody listens', async () => {
    const attempt = await attemptOnce(postgres, `127.0.0.1:${await closedPort()}`);
    expect(verdict(attempt)).toBe('fail refused explicit');
  });

  test('a web server is found out', async () => {
    const port = await serve(createServer());
    expect(verdict(await attemptOnce(postgres, `127.0.0.1:${port}`))).toMatch(
      /^fail (protocol|closed) explicit$/,
    );
  });

  test('says good-bye: the server sees an orderly end, never a reset', async () => {
    const ends: string[] = [];
    const port = await tcpServer((socket) => {
      socket.on('error', ({ message }) => ends.push(message));
      socket.on('end', () => ends.push('end'));
      speaking((type) => (type === 'start' ? SASL : undefined))(socket);
    });
    for (let i = 0; i < 5; i++) expect(verdict(await attemptOnce(postgres, `127.0.0.1:${port}`))).toBe('ok');
    expect(ends).toEqual(Array(5).fill('end'));
    const said: string[] = [];
    const other = await tcpServer(
      speaking((type, _body, socket) => {
        said.push(type);
        if (type === 'X') socket.end();
        return type === 'start' ? WELCOME : undefined;
      }),
    );
    expect(verdict(await attemptOnce(postgres, `127.0.0.1:${other}`))).toBe('ok');
    expect(said).toEqual(['start', 'X']);
  });
});

describe.skipIf(opensslProblem())('tls', () => {
  const authority = opensslProblem() ? undefined : createAuthority();
  afterAll(() => authority?.remove());

  async function withTls(answer: Buffer | string, user?: string) {
    const { cert, key } = authority!.issue('localhost', 'DNS:localhost,IP:127.0.0.1');
    const port = await tcpServer((socket) => {
      socket.once('data', () => {
        socket.write(answer);
        if (answer !== 'S') return;
        const secured = new TLSSocket(socket, { isServer: true, cert, key });
        secured.on('error', () => {});
        speaking((type) => {
          if (type === 'start') return user === undefined ? SASL : WELCOME;
          return type === 'Q' ? ROW : undefined;
        })(secured);
      });
    });
    const tls = { ca: authority!.certFile };
    return await attemptOnce(postgres, { address: `127.0.0.1:${port}`, tls, user }, { timeoutMs: 5_000 });
  }

  test('asked for in the protocol, with the facts of the certificate', async () => {
    const attempt = await withTls('S');
    expect(verdict(attempt)).toBe('ok');
    expect(attempt.outcome.facts).toMatchObject({ tls_subject: 'localhost' });
    expect(attempt.phases).toHaveProperty('tls');
    const loggedIn = await withTls('S', 'me');
    expect(verdict(loggedIn)).toBe('ok');
    expect(loggedIn.outcome.facts).toMatchObject({ tls_subject: 'localhost', version: '17.2' });
  });

  test.each([
    ['N', 'fail tls explicit', /does not offer TLS/],
    [error('08P01', 'x'), 'fail protocol explicit', /not PostgreSQL/],
    ['Sand more in the clear', 'fail protocol explicit', /before TLS/],
    ['Hello', 'fail protocol explicit', /not PostgreSQL/],
  ])('%s', async (answer, expected, text) => {
    const attempt = await withTls(answer);
    expect(verdict(attempt)).toBe(expected);
    expect(attempt.outcome.message).toMatch(text);
  });
});

function rowOf(columns: readonly (readonly [string, number, string | null])[]): Buffer {
  const fields = columns.map(([name, oid]) =>
    Buffer.concat([Buffer.from(`${name}\0\0\0\0\0\0\0`), four(oid), short(4), four(-1), short(0)]),
  );
  const values = columns.map(([, , value]) =>
    value === null ? four(-1) : Buffer.concat([four(value.length), Buffer.from(value)]),
  );
  return Buffer.concat([
    message('T', short(columns.length), ...fields),
    message('D', short(columns.length), ...values),
    message('C', 'SELECT 1\0'),
    message('Z', 'I'),
  ]);
}
function four(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
const ROW = rowOf([
  ['lag', 1700, '1.5'],
  ['big', 20, '9007199254740993'],
  ['ready', 16, 't'],
  ['name', 25, 'a\nb'],
  ['nothing', 25, null],
]);

describe('with a user', () => {
  async function loginTo(
    answer: (type: string, body: string, socket: Socket) => Buffer | undefined | void,
    written: object = {},
    timeoutMs = 20_000,
  ) {
    const port = await tcpServer(speaking(answer));
    const settings = { address: `127.0.0.1:${port}`, user: 'me', ...written };
    return await attemptOnce(postgres, settings, { timeoutMs });
  }
  const serving =
    (answer: Buffer) =>
    (type: string): Buffer | undefined =>
      type === 'start' ? WELCOME : type === 'Q' ? answer : undefined;

  test('SELECT 1, or a query whose first row becomes facts', async () => {
    const asked: string[] = [];
    const plain = await loginTo((type, body) => {
      asked.push(`${type} ${body}`);
      return serving(ROW)(type);
    });
    expect(plain.outcome).toEqual({
      status: 'ok',
      message: 'ready, SELECT 1 was answered',
      facts: { version: '17.2', in_recovery: true },
    });
    expect(asked[0]).toContain('user\0me\0database\0me\0');
    expect(asked[1]).toBe('Q SELECT 1\0');
    expect(asked.at(-1)).toBe('X ');
    const query = await loginTo(serving(ROW), { query: 'select lag', expect: '^1\\.5$' });
    expect(query.outcome).toEqual({
      status: 'ok',
      message: 'the query gave "1.5"',
      facts: {
        version: '17.2',
        in_recovery: true,
        lag: 1.5,
        big: '9007199254740993',
        ready: true,
        name: 'a b',
      },
    });
  });

  test('a rule that is missed, a row that is not there', async () => {
    const missed = await loginTo(serving(ROW), { query: 'q', expect: '^0$' });
    expect(verdict(missed)).toBe('fail mismatch explicit');
    expect(missed.outcome.message).toBe('"1.5" does not match /^0$/');
    const none = Buffer.concat([message('T', short(0)), message('C', 'SELECT 0\0'), message('Z', 'I')]);
    expect((await loginTo(serving(none), { query: 'q', expect: '.' })).outcome.message).toBe(
      'the query gave no row',
    );
    expect(verdict(await loginTo(serving(none), { query: 'q' }))).toBe('ok');
  });

  test.each([
    [
      'wrong password',
      error('28P01', 'password authentication failed'),
      end,
      'fail status explicit',
      /failed \(28P01\)/,
    ],
    ['starting up', error('57P03', 'starting up'), end, 'fail not_serving explicit', /starting up/],
    ['closes', '', end, 'fail closed explicit', /closed the connection before it was ready/],
    ['resets', '', reset, 'fail reset explicit', /reset|RESET/],
    ['what no client can read', message('R', 1_000), undefined, 'fail protocol explicit', /cannot be/],
    [
      'what makes the client throw',
      Buffer.from('R\0\0\0\u0005\0'),
      undefined,
      'fail protocol explicit',
      /cannot be/,
    ],
    [
      'another protocol',
      `HTTP/1.1 400 Bad Request\r\n\r\n${'x'.repeat(2 ** 21)}`,
      undefined,
      'fail too_large explicit',
      /1MiB/,
    ],
    [
      'a password is wanted',
      SASL,
      undefined,
      'fail status explicit',
      /asks for a password, and none is written/,
    ],
  ])('%s', async (_name, said, then, expected, text) => {
    const attempt = await loginTo((type, _body, socket) => {
      if (type !== 'start') return;
      socket.write(said);
      then?.(socket);
    });
    expect(verdict(attempt)).toBe(expected);
    expect(attempt.outcome.message).toMatch(text);
  });

  test('an error of the query, an end and a silence inside it, rows without end', async () => {
    const failed = Buffer.concat([error('42P01', 'no such relation'), message('Z', 'I')]);
    const attempt = await loginTo(serving(failed));
    expect(verdict(attempt)).toBe('fail status explicit');
    expect(attempt.outcome.message).toBe('no such relation (42P01)');
    expect(attempt.outcome.facts).toMatchObject({ version: '17.2' });
    const closing = await loginTo((type, _body, socket) => {
      if (type === 'Q') socket.end(ROW.subarray(0, 20));
      return type === 'start' ? WELCOME : undefined;
    });
    expect(verdict(closing)).toBe('fail closed explicit');
    expect(verdict(await loginTo(serving(ROW.subarray(0, 20)), {}, 300))).toBe('fail timeout silent');
    const wide = await loginTo(serving(message('T', short(257), Buffer.alloc(3_000))));
    expect(wide.outcome.message).toBe('the answer has more than 256 columns');
    expect(verdict(wide)).toBe('fail too_large explicit');
    const long = Buffer.concat([
      message('T', short(0)),
      ...Array.from({ length: 3_000 }, () => message('D', short(0))),
    ]);
    const many = await loginTo(serving(long));
    expect(many.outcome.message).toBe('the answer has more than 2000 columns and rows; ask for one row');
    expect(verdict(many)).toBe('fail too_large explicit');
    const endless = Buffer.concat([ROW.subarray(0, -6), Buffer.alloc(2 ** 21, ROW.subarray(-60, -30))]);
    expect(verdict(await loginTo(serving(endless)))).toMatch(/^fail (too_large|protocol) explicit$/);
  });

  test('a password comes from the settings, never from the environment', async () => {
    const environment = {
      PGPASSWORD: 'of-the-agent',
      PGSSLMODE: 'require',
      PGSSLNEGOTIATION: 'direct',
      PGUSER: 'x',
    };
    Object.assign(process.env, environment);
    const sent: string[] = [];
    try {
      for (const password of [undefined, '']) {
        const asked = (type: string, body: string): Buffer => {
          if (type === 'p') sent.push(body);
          return type === 'start' ? message('R', 3) : error('28P01', 'no');
        };
        expect(verdict(await loginTo(asked, { password }))).toBe('fail status explicit');
      }
    } finally {
      for (const name of Object.keys(environment)) delete process.env[name];
    }
    expect(sent.join('')).not.toContain('agent');
  });

  test('a trace tells the query and the rule, never the password', async () => {
    const port = await tcpServer(
      speaking((type) => {
        if (type === 'start') return message('R', 3);
        return type === 'p' ? WELCOME : type === 'Q' ? ROW : undefined;
      }),
    );
    const told: TraceEntry[] = [];
    const settings = {
      address: `127.0.0.1:${port}`,
      user: 'me',
      password: 'hush',
      query: 'select lag',
      expect: '9',
    };
    await attemptOnce(postgres, settings, { onTrace: (entry) => told.push(entry) });
    expect(told).toContainEqual({ kind: 'sent', what: 'postgres', text: 'select lag' });
    expect(told).toContainEqual({ kind: 'rule', rule: 'expect', passed: false, value: '1.5' });
    expect(JSON.stringify(told)).not.toContain('hush');
  });

  test('hundreds of attempts leave no socket and no timer behind', async () => {
    const servers: [Buffer | string, ((socket: Socket) => void)?][] = [
      [WELCOME],
      [error('28P01', 'no'), end],
      ['', reset],
      [message('R', 1_000)],
    ];
    const ports = await Promise.all(
      servers.map(([said, then]) =>
        tcpServer(
          speaking((type, _body, socket) => {
            if (type === 'Q') return ROW;
            if (type === 'X') socket.end();
            if (type !== 'start') return undefined;
            socket.write(said);
            then?.(socket);
            return undefined;
          }),
        ),
      ),
    );
    const round = (): Promise<unknown> =>
      Promise.all(
        ports.flatMap((port) => [
          attemptOnce(
            postgres,
            { address: `127.0.0.1:${port}`, user: 'me', password: 'x' },
            { timeoutMs: 5_000 },
          ),
          attemptOnce(postgres, `127.0.0.1:${port}`, { timeoutMs: 5_000 }),
        ]),
      );
    await round();
    await new Promise((resolve) => setImmediate(resolve));
    const left = leftBehind();
    for (let i = 0; i < 40; i++) await round();
    await expect.poll(() => left.since()).toEqual({});
  });
});

describe('settings', () => {
  const messages = (written: unknown): string[] => {
    const result = postgres.settings.safeParse(written);
    return result.success
      ? []
      : result.error.issues.map(({ message, path }) => `${path.join('.')}: ${message}`);
  };

  test('what cannot be is refused', () => {
    expect(messages({})).toEqual([': postgres takes either address or unix']);
    expect(messages({ address: 'h:1', password: 'x', query: 'q' })).toEqual([
      'password: password needs a user',
      'query: query needs a user',
    ]);
    expect(messages({ address: '127.0.0.1:1', family: 6 })).toEqual([
      'family: 127.0.0.1 is not an IPv6 address',
    ]);
    expect(messages({ address: 'h:1', user: 'u', query: ' ' })).toEqual(['query: the query is empty']);
    expect(messages('h:5432')).toEqual([]);
  });

  test('a client that is not installed is named', () => {
    expect(missingPackage('postgres', 'pg')).toBeUndefined();
    expect(missingPackage('postgres', 'no-such-client')).toBe(
      'postgres with a user needs the package no-such-client: npm install no-such-client',
    );
  });
});
