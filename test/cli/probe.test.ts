import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { wordsOf } from '../../src/cli/words.ts';
import { runCli, startAgent } from '../support/cli.ts';
import { closedPort, serve, tcpServer } from '../support/servers.ts';
import { yamlFile } from '../support/yaml-file.ts';

function web(status = 200): Promise<number> {
  return serve(createServer((_request, response) => response.writeHead(status).end('ready')));
}

interface Told {
  readonly target: string;
  readonly probe: string;
  readonly status: string;
  readonly where: string;
  readonly timeout_ms: number;
  readonly timeline: readonly { readonly phase: string; readonly from_ms: number; readonly to_ms: number }[];
  readonly exchange: readonly { readonly kind: string; readonly text: string }[];
  readonly rules: readonly { readonly rule: string; readonly wanted: string | null }[];
}

async function told(...args: string[]): Promise<Told> {
  const { stdout, stderr } = await runCli(['probe', ...args, '--json']);
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Told;
}

describe('a target of a file', () => {
  async function two(): Promise<string> {
    return yamlFile(`
targets:
  - { name: good, http: "http://127.0.0.1:${await web()}/healthz", timeout: 1500ms }
  - { name: refusing, tcp: "127.0.0.1:${await closedPort()}" }
`);
  }

  test('by its name; exit 0 and the whole picture', async () => {
    const { code, stdout, stderr } = await runCli(['probe', 'good', await two()]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^good {2}http {2}http:\/\/127\.0\.0\.1:\d+\/healthz\n\nphases\n/);
    expect(stdout).toMatch(/\n {2}connect +\d/);
    expect(stdout).toMatch(/\n {2}total +\d\S+ {2}of the 1\.5s that it may take\n/);
    expect(stdout).toMatch(/\n {2}status {2}200\n/);
    expect(stdout).toContain('\n✓ ok  status 200\n');
    expect(stdout).not.toContain('\u001b');
  });

  test('a failure has exit 1, its class, and what the rules make of it', async () => {
    const { code, stdout } = await runCli(['probe', 'refusing', await two()]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\n✗ fail {2}refused: /);
    expect(stdout).toContain('explicit: the path works, and the target says no');
    expect(stdout).toContain('1 failure of 3 in a row before down');
  });

  test('without a name where there is only one', async () => {
    const file = yamlFile(`targets: [{ name: only, exec: { shell: "echo fine" } }]`);
    expect(await told(file)).toMatchObject({ target: 'only', status: 'ok', where: 'echo fine' });
  });

  test.each([
    ['god', 'there is no target "god"; did you mean "good"?'],
    ['nothing-like-it', 'there is no target "nothing-like-it"; there is good, refusing'],
  ])('%s: a usage error', async (name, message) => {
    const { code, stdout, stderr } = await runCli(['probe', name, await two()]);
    expect([code, stdout, stderr.split('\n', 1)[0]]).toEqual([2, '', `vitald: ${message}`]);
  });

  test('a file with several and no name: a usage error that lists them', async () => {
    const { code, stderr } = await runCli(['probe', await two()]);
    expect([code, stderr.split('\n', 1)[0]]).toEqual([
      2,
      'vitald: name one of the 2 targets: good, refusing',
    ]);
  });

  test('--timeout holds instead of its own', async () => {
    const port = await tcpServer(() => {});
    const file = yamlFile(`targets: [{ name: silent, tcp: { address: "127.0.0.1:${port}", expect: x } }]`);
    const { code, stdout } = await runCli(['probe', file, '--timeout', '150ms']);
    expect(code).toBe(1);
    expect(stdout).toContain('✗ fail  timeout: ');
    expect(stdout).toContain('of the 150ms that it may take');
  });

  test('an attempt that ran into its timeout shows what had come by then', async () => {
    const port = await tcpServer((socket) => socket.write('220 half of it'));
    const args = [
      'probe',
      '--tcp',
      `{ address: "127.0.0.1:${port}", expect: '^250 ' }`,
      '--timeout',
      '400ms',
    ];
    const { code, stdout } = await runCli(args);
    expect(code).toBe(1);
    expect(stdout).toContain('← 220 half of it');
    expect(stdout).toContain('✗ expect  "220 half of it"  wanted ^250');
  });

  test('secrets of the file are masked, also where they come back', async () => {
    const file = yamlFile(
      'targets: [{ name: a, exec: { command: [echo, "${SECRET}"], output: "${SECRET}" } }]',
    );
    const { stdout } = await runCli(['probe', file], { env: { SECRET: 's3cret' } });
    expect(stdout).not.toContain('s3cret');
    expect(stdout).toContain('→ argv  echo ***');
  });

  test('so are those that are written out, and those that the peer says', async () => {
    const port = await serve(
      createServer((_, response) =>
        response.writeHead(302, { location: 'https://h/in?sig=from-the-peer', 'x-auth-token': 'peer' }).end(),
      ),
    );
    const written = `{ url: "http://127.0.0.1:${port}/z?password=in-the-url", headers: { x-api-key: in-a-header } }`;
    for (const json of [[], ['--json']]) {
      const { stdout } = await runCli(['probe', '--http', written, ...json]);
      expect(stdout).toContain('/z?password=***');
      expect(stdout).toContain('location: https://h/in?sig=***');
      expect(stdout).toContain('x-auth-token: ***');
      expect(stdout).not.toMatch(/in-the-url|in-a-header|from-the-peer|: peer/);
    }
    const { stderr } = await runCli(['probe', '--http', `http://joe:in-the-url@127.0.0.1:${port}/`]);
    expect(stderr).toContain('http://joe:**********@127.0.0.1');
    expect(stderr).toContain('credentials');
  });
});

describe('a probe without a file', () => {
  test('in its short form', async () => {
    const port = await web(503);
    expect(await told('--http', `http://127.0.0.1:${port}/`)).toMatchObject({
      target: 'http',
      probe: 'http',
      status: 'fail',
      where: `http://127.0.0.1:${port}/`,
      timeout_ms: 2_000,
    });
    const { timeline } = await told('--tcp', `127.0.0.1:${port}`, '--timeout', '3s');
    expect(timeline.map(({ phase }) => phase)).toEqual(['connect']);
    expect(timeline[0]!.to_ms).toBeGreaterThanOrEqual(timeline[0]!.from_ms);
  });

  test('as a mapping; the rules have what they want beside what came', async () => {
    const port = await tcpServer((socket) => socket.end('+PONG\r\n'));
    const { rules, status } = await told(
      '--tcp',
      `{ address: "127.0.0.1:${port}", send: PING, expect: ^.PONG }`,
    );
    expect(status).toBe('ok');
    expect(rules).toMatchObject([{ rule: 'expect', wanted: '^.PONG' }]);
  });

  test('a command by its words, or as a list', async () => {
    const inWords = await told('--exec', String.raw`printf '%s|' "a b" c\ d ''`);
    expect(inWords.exchange).toContainEqual(expect.objectContaining({ what: 'stdout', text: 'a b|c d||' }));
    expect(await told('--exec', '[echo, "a b"]')).toMatchObject({ status: 'ok', message: 'a b' });
  });

  test('void has exit 0: it says nothing about the target', async () => {
    const { code, stdout } = await runCli(['probe', '--exec', 'sh -c "exit 3"']);
    expect(code).toBe(0);
    expect(stdout).toContain('\n  ? exit  3\n');
    expect(stdout).toContain('? void  exit 3\n  our own trouble');
  });

  test('mistakes have their place and a caret', async () => {
    const { code, stderr } = await runCli(['probe', '--tcp', '{ address: "h:1", exepct: a, send_hex: xyz }']);
    expect(code).toBe(2);
    expect(stderr.split('\n').slice(0, 7)).toEqual([
      '--tcp:1:19: unknown key "exepct"; did you mean "expect"?',
      '  1 | { address: "h:1", exepct: a, send_hex: xyz }',
      '    |                   ^^^^^^',
      '',
      '--tcp:1:40: "xyz" is not hex; write bytes such as "50 49 4e 47"',
      '  1 | { address: "h:1", exepct: a, send_hex: xyz }',
      '    |                                        ^^^',
    ]);
    const short = await runCli(['probe', '--tcp', 'no-port']);
    expect([short.code, short.stderr.split('\n', 3)[2]]).toEqual([2, '    | ^^^^^^^']);
  });

  test.each([
    [[], 'name a target and its file, or a probe such as --tcp HOST:PORT'],
    [['--htpp', 'http://h/'], 'Unknown option \'--htpp\'; did you mean "--http"?'],
    [['--http', 'http://h/', '--tcp', 'h:1'], 'one attempt has one probe, and here are --http and --tcp'],
    [['--tcp', 'h:1', '--tcp', 'h:2'], 'one attempt has one probe, and here are --tcp and --tcp'],
    [['orders'], 'there is no file "orders"; where it is a target, its file comes behind it'],
    [['--tcp', 'h:1', 'a.yaml'], '--tcp stands for itself, without a name or file'],
    [['--tcp', 'h:1', '--timeout', '5'], '--timeout: "5" is not a duration such as 500ms, 2s or 1m30s'],
    [['--exec', 'echo "a'], '--exec: a quote is not closed'],
  ])('%j: a usage error', async (args, message) => {
    const { code, stderr } = await runCli(['probe', ...args]);
    expect([code, stderr.split('\n', 1)[0]]).toEqual([2, `vitald: ${message}`]);
  });
});

describe('--watch', () => {
  interface Line {
    readonly level: string;
  }
  const statusOf = (record: Line): unknown => (record as unknown as { status: unknown }).status;

  test('goes on until it is told to stop; the last attempt decides', async () => {
    let sick = false;
    const port = await serve(createServer((_q, response) => response.writeHead(sick ? 503 : 200).end()));
    const watching = startAgent([
      'probe',
      '--http',
      `http://127.0.0.1:${port}/`,
      '--watch',
      '10ms',
      '--json',
    ]);
    await watching.waitFor(() => watching.records.length >= 3);
    expect(watching.records.map(statusOf)).not.toContain('fail');
    sick = true;
    await watching.waitFor((record) => statusOf(record) === 'fail');
    watching.signal('SIGINT');
    expect(await watching.exited).toEqual({ code: 1, signal: null });
  });

  test('for people: in full at first and after a change, else a line each; a summary at the end', async () => {
    let answers = 0;
    const port = await serve(
      createServer((_q, response) => response.writeHead(++answers === 3 ? 503 : 200).end()),
    );
    const watching = startAgent(['probe', '--http', `http://127.0.0.1:${port}/`, '--watch', '10ms']);
    const line = (record: object): string => String((record as { line?: unknown }).line);
    const isLine = (record: object): boolean => /^\d\d:\d\d:\d\d\.\d{3} {2}/.test(line(record));
    await watching.waitFor(() => watching.records.filter(isLine).length >= 6);
    watching.signal('SIGINT');
    expect((await watching.exited).code).toBe(0);
    const lines = watching.records.map(line);
    expect(lines.filter((text) => text === 'phases').length).toBe(3);
    expect(lines.at(-2)).toMatch(/^\d+ attempts: \d+ ok, 1 fail$/);
    expect(lines.at(-1)).toMatch(/^latency: least \S+, median \S+, p95 \S+, most \S+$/);
  });
});

describe('words', () => {
  test.each([
    ['a b  c', ['a', 'b', 'c']],
    [' a ', ['a']],
    ['', []],
    [`'a b' "c d"`, ['a b', 'c d']],
    [`a'b c'd"e f"`, ['ab cde f']],
    [String.raw`a\ b \' "\"\\\$x\n"`, ['a b', "'", String.raw`"\$x\n`]],
    [`'' ""`, ['', '']],
    [`$HOME *`, ['$HOME', '*']],
  ])('%s', (line, words) => expect(wordsOf(line)).toEqual(words));

  test.each([`'a`, `"a`, 'a\\', `"a\\"`])('%s is not closed', (line) =>
    expect(wordsOf(line)).toBeUndefined(),
  );
});
