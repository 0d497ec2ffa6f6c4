import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { BIN, runCli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { closedPort, serve } from '../support/servers.ts';
import { yamlFile } from '../support/yaml-file.ts';

const GOOD = 'targets: [{ name: a, tcp: "h:1", notify: ops }]\nhooks: { ops: { shell: "true" } }\n';

describe('vitald', () => {
  test('--help lists the commands, and each has its own help', async () => {
    const { code, stdout } = await runCli(['--help']);
    expect(code).toBe(0);
    for (const command of ['run', 'check', 'once', 'schema', 'demo']) {
      expect(stdout).toContain(`\n  ${command} `);
      const help = await runCli([command, '--help']);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain(`vitald ${command}`);
    }
  });

  test('--version is the version of the package', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect((await runCli(['--version'])).stdout).toBe(`${version}\n`);
  });

  test.each([
    [[], 'usage: vitald COMMAND'],
    [['chekc'], 'unknown command "chekc"; did you mean "check"?'],
    [['constructor'], 'unknown command "constructor"'],
    [['help', 'toString'], 'unknown command "toString"'],
    [['demo', 'story'], 'demo takes no arguments'],
    [['check'], 'name a YAML file, or a directory of them'],
    [['check', '--jsno', 'x.yaml'], "Unknown option '--jsno'"],
    [['run', 'x.yaml', '--log', 'xml'], '--log takes auto, json, text, not "xml"'],
    [['once', '/nowhere.yaml'], '/nowhere.yaml: there is no such file'],
    [['run', '/nowhere.yaml'], '/nowhere.yaml: there is no such file'],
  ])('%j is refused with exit 2: %s', async (args, message) => {
    const { code, stderr, stdout } = await runCli(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout).toBe('');
  });

  test('the entry is executable', () =>
    expect(readFileSync(BIN, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/));
});

describe('check', () => {
  test('says when the next maintenance is, or how long this one lasts', async () => {
    const file = yamlFile(`
targets: [{ name: "web-{n}", each: { n: [1, 2] }, group: web, tcp: "h:1" }, { name: db, tcp: "h:1" }]
maintenance:
  - { groups: web, cron: "0 3 * * sun", for: 2h, zone: Asia/Tokyo, reason: patches }
  - { targets: db, cron: "* * * * *", for: 1h, zone: UTC, reason: always }`);
    const { stdout } = await runCli(['check', file]);
    const [, patches, always] = stdout.split('\n');
    expect(patches).toMatch(/^maintenance "patches": 2 targets, Sun \S+ 03:00-05:00 Asia\/Tokyo, (in|now, )/);
    expect(always).toMatch(/^maintenance "always": 1 target, .* UTC, now, (1h|59m)\S* left$/);
  });

  test('a good file is fine', async () => {
    const file = yamlFile(GOOD);
    expect(await runCli(['check', file])).toEqual({
      code: 0,
      stdout: `${file}: fine. 1 target, 1 hook.\n`,
      stderr: '',
    });
    expect(JSON.parse((await runCli(['check', file, '--json'])).stdout)).toEqual({
      ok: true,
      targets: 1,
      hooks: 1,
    });
  });

  test('twelve mistakes: twelve messages with line and caret, exit 2', async () => {
    const { code, stderr } = await runCli(['check', 'test/config/invalid/twelve.yaml']);
    expect(code).toBe(2);
    expect(stderr.match(/^test\/config\/invalid\/twelve\.yaml:\d+:\d+: /gm)?.length).toBe(12);
    expect(stderr).toContain(
      [
        'test/config/invalid/twelve.yaml:3:3: unknown key "intervall"; did you mean "interval"?',
        '  3 |   intervall: 5s',
        '    |   ^^^^^^^^^',
      ].join('\n'),
    );
    expect(stderr.trimEnd()).toMatch(/12 problems$/);
    const json = await runCli(['check', '--json', 'test/config/invalid/twelve.yaml']);
    expect(json.code).toBe(2);
    const { ok, problems } = JSON.parse(json.stdout) as { ok: boolean; problems: unknown[] };
    expect([ok, problems.length]).toEqual([false, 12]);
  });

  test('--resolved prints what is in force, secrets masked, in a form that can be read again', async () => {
    const file = yamlFile(
      'defaults: { interval: 7s }\ntargets:\n  - name: a-{n}\n    each: { n: [1, 2] }\n' +
        '    http: { url: "http://h{n}/", headers: { authorization: "Bearer ${TOKEN}" } }\n',
    );
    const { code, stdout } = await runCli(['check', file, '--resolved'], { env: { TOKEN: 's3cret' } });
    expect(code).toBe(0);
    expect(stdout).not.toContain('s3cret');
    const { targets } = parse(stdout) as { targets: unknown[] };
    expect(targets[1]).toEqual({
      name: 'a-2',
      purpose: 'live',
      http: { url: 'http://h2/', headers: { authorization: '***' } },
      interval: '7s',
      timeout: '2s',
      retry_interval: '1s',
      failure_threshold: 3,
      success_threshold: 2,
      suspect_after: 'auto',
      slow_after: 'off',
      degraded_threshold: 3,
      restored_threshold: 3,
      confirm: { explicit: '2s', silent: '6s', path: '10s' },
    });
    expect((await runCli(['check', yamlFile(stdout)])).code).toBe(0);
  });
});

describe('help', () => {
  test.each([[['--help']], [['probe', '--help']], [['run', '--help']], [['once', '--help']]])(
    '%j fits into 80 columns',
    async (args) => {
      const { code, stdout } = await runCli(args);
      expect(code).toBe(0);
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    },
  );
});

describe('once', () => {
  async function mixed(): Promise<string> {
    const port = await serve(createServer((_request, response) => response.end('ready')));
    const refused = await closedPort();
    return yamlFile(`
targets:
  - { name: good, http: "http://127.0.0.1:${port}/" }
  - { name: refusing, tcp: "127.0.0.1:${refused}" }
  - { name: warning, exec: { shell: "echo 'disk 91% | used=91%'; exit 1" } }
  - { name: unclear, exec: { shell: "exit 3" } }
`);
  }

  test('commands that ignore TERM, or are stopped, are gone when it ends', async () => {
    const stubborn = ['trap "" TERM; while :; do sleep 0.1; done', 'kill -STOP $$'];
    const file = yamlFile(`
defaults: { timeout: 300ms }
targets:
${[...stubborn, ...stubborn].map((lines, i) => `  - { name: t${i}, exec: { shell: 'echo $$ >pid${i}; ${lines}' } }`).join('\n')}
`);
    const { stdout } = await runCli(['once', file]);
    expect(stdout).toContain('4 targets: 4 fail');
    const pids = [0, 1, 2, 3].map((i) => readFileSync(join(dirname(file), `pid${i}`), 'utf8').trim());
    // A process that was killed is listed until somebody has reaped it.
    await eventually(() => expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]));
  });

  test('--json prints one object a line with exactly the agreed keys; exit 1 where one failed', async () => {
    const { code, stdout } = await runCli(['once', await mixed(), '--json']);
    expect(code).toBe(1);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const line of lines) {
      expect(Object.keys(line)).toEqual([
        'target',
        'probe',
        'status',
        'reason',
        'class',
        'message',
        'latency_ms',
        'phases',
        'facts',
      ]);
      expect(line['latency_ms']).toBeTypeOf('number');
    }
    const byName = Object.fromEntries(lines.map((line) => [line['target'], line]));
    expect(byName['good']).toMatchObject({
      probe: 'http',
      status: 'ok',
      reason: null,
      class: null,
      facts: { status: 200 },
    });
    expect(Object.keys(byName['good']!['phases'] as object)).toEqual(['connect', 'wait', 'receive']);
    expect(byName['refusing']).toMatchObject({
      probe: 'tcp',
      status: 'fail',
      reason: 'refused',
      class: 'explicit',
    });
    expect(byName['warning']).toMatchObject({ status: 'warn', message: 'disk 91%', facts: { used: 91 } });
    expect(byName['unclear']).toMatchObject({ status: 'void', reason: null, class: null });
  });

  test('the table is aligned and says what failed; no colour where there is no terminal', async () => {
    const { stdout } = await runCli(['once', await mixed()]);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^TARGET {4}PROBE {2}STATUS {2}TIME +SAID$/);
    expect(lines[2]).toMatch(/^refusing {2}tcp {4}fail {4}\S+ +refused: connect ECONNREFUSED/);
    expect(lines.at(-2)).toBe('4 targets: 1 ok, 1 warn, 1 fail, 1 void');
    expect(stdout).not.toContain('\u001b');
    expect((await runCli(['once', await mixed()], { env: { FORCE_COLOR: '1' } })).stdout).toContain(
      '\u001b[31mfail',
    );
  });

  test('--target chooses; a name that is not there is a usage error with a suggestion', async () => {
    const file = await mixed();
    const chosen = await runCli(['once', file, '--json', '--target', 'good', '--target', 'warning']);
    expect(chosen.code).toBe(0);
    expect(chosen.stdout.trimEnd().split('\n').length).toBe(2);
    const wrong = await runCli(['once', file, '--target', 'god']);
    expect([wrong.code, wrong.stderr.split('\n', 1)[0]]).toEqual([
      2,
      'vitald: there is no target "god"; did you mean "good"?',
    ]);
  });
});

describe('schema', () => {
  test('is a JSON Schema that knows every kind of probe and hook, in its short and its long form', async () => {
    const { code, stdout } = await runCli(['schema']);
    expect(code).toBe(0);
    const schema = JSON.parse(stdout) as {
      properties: {
        targets: { items: { properties: Record<string, { anyOf?: unknown[] }>; required: string[] } };
      };
    };
    const { properties, required } = schema.properties.targets.items;
    expect(required).toEqual(['name']);
    for (const kind of ['http', 'tcp', 'grpc', 'exec']) expect(properties[kind]?.anyOf?.length).toBe(2);
    expect(stdout).toContain('per_host');
    expect(stdout).toContain('webhook');
  });
});

test('demo --story tells its story and ends with exit 0', async () => {
  const { code, stdout } = await runCli(['demo', '--story']);
  expect(code, stdout).toBe(0);
  const chapters = [
    'crashes now',
    'suspect ',
    'down ',
    'restart-orders/1 (webhook) done',
    'recovering ',
    'verified',
  ];
  let at = stdout.indexOf('crashes now');
  for (const chapter of chapters) {
    const next = stdout.indexOf(chapter, at);
    expect(next, chapter).toBeGreaterThanOrEqual(at);
    at = next;
  }
});
