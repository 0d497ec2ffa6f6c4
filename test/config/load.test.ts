import { mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { probes } from '../../probes/index.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { ConfigError, position } from '../../src/config/problem.ts';
import { masked } from '../../src/config/secrecy.ts';
import { hooks } from '../../src/hooks/index.ts';
import { steps } from '../../src/steps/index.ts';

const INVALID = 'test/config/invalid';
const KINDS = Object.keys(probes).join(', ');
const HOOK_KINDS = Object.keys({ ...hooks, ...steps }).join(', ');

function load(paths: string | readonly string[], env: Record<string, string> = {}): Config {
  return loadConfig(typeof paths === 'string' ? [paths] : paths, { probes, hooks, steps, env });
}

/** Writes files into a new directory; the directory. */
function files(contents: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'vitald-config-'));
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  return dir;
}

function yaml(text: string, env: Record<string, string> = {}): Config {
  return load(join(files({ 'targets.yaml': text }), 'targets.yaml'), env);
}

function problemsOf(paths: string | readonly string[], env = {}): string[] {
  try {
    load(paths, env);
  } catch (error) {
    if (error instanceof ConfigError) {
      return error.problems.map(({ place, message }) => `${position(place)} ${message}`);
    }
    throw error;
  }
  throw new Error('there was no problem');
}

describe('each file with a mistake gives exactly the message in its first line', () => {
  const names = readdirSync(INVALID).filter((name) => name !== 'twelve.yaml');
  test.each(names)('%s', (name) => {
    const file = join(INVALID, name);
    const expected = readFileSync(file, 'utf8').split('\n', 1)[0]!.slice(2);
    const here = expected
      .replaceAll('\\n', '\n')
      .replace('FILE', file)
      .replace('DIR', resolve(INVALID))
      .replace('HOOK_KINDS', HOOK_KINDS)
      .replace('KINDS', KINDS);
    expect(problemsOf(file)).toEqual([`${file}:${here}`]);
  });
});

test('a bad each hides none of the other mistakes, and its placeholders are no mistakes', () => {
  const dir = files({
    'targets.yaml': `
targets:
  - name: "{n}"
    each: { n: 3 }
    intervall: 5s
    timeout: "{t}"
    notify: opps
    http: { url: "{scheme}://h/", redirects: 99 }
`,
  });
  expect(problemsOf(join(dir, 'targets.yaml')).map((line) => line.slice(dir.length + 1))).toEqual([
    'targets.yaml:4:16 expected a list, not a number',
    'targets.yaml:5:5 unknown key "intervall"; did you mean "interval"?',
    'targets.yaml:7:13 unknown hook "opps"',
    'targets.yaml:8:46 expected a whole number, from 0 to 20',
  ]);
});

test('twelve mistakes in one file give twelve messages at once, in reading order', () => {
  const problems = problemsOf(join(INVALID, 'twelve.yaml')).map((line) => line.slice(INVALID.length + 1));
  expect(problems).toEqual([
    'twelve.yaml:3:3 unknown key "intervall"; did you mean "interval"?',
    'twelve.yaml:6:11 port 99999 is out of range (1 to 65535)',
    'twelve.yaml:7:14 unknown hook "opps"; did you mean "ops"?',
    `twelve.yaml:8:11 a target named "a" is declared at ${INVALID}/twelve.yaml:5 already`,
    'twelve.yaml:9:10 "localhost" has no port; write host:port',
    'twelve.yaml:11:48 the range 299-200 runs backwards',
    'twelve.yaml:11:64 the pattern does not compile: error parsing regexp: missing closing ): `(`',
    'twelve.yaml:12:24 expected a whole number, 1 or more',
    'twelve.yaml:14:15 "30d" is above the longest duration, 2147483647ms (24d20h)',
    `twelve.yaml:16:5 there is no probe; add one of ${KINDS}`,
    'twelve.yaml:21:14 the timeout 5s is above the interval 1s',
    'twelve.yaml:23:45 the environment variable VITALD_TEST_UNSET is not set, and there is no default',
  ]);
});

describe('rules', () => {
  const one = (keys: string, defaults = '{}') =>
    yaml(`defaults: ${defaults}\ntargets: [{ name: a, tcp: "h:1", ${keys} }]`).targets[0]!.rules;

  test('what nobody wrote is the default', () => {
    expect(one('group: g')).toEqual({
      intervalMs: 5_000,
      timeoutMs: 2_000,
      retryIntervalMs: 1_000,
      failureThreshold: 3,
      successThreshold: 2,
      confirm: { explicit: 2_000, silent: 6_000, path: 10_000 },
      suspectAfter: 'auto',
      slowAfter: 'off',
      degradedThreshold: 3,
      restoredThreshold: 3,
    });
  });

  test('the target comes before the defaults, and a default that nobody wrote gives way to the interval', () => {
    expect(one('interval: 500ms', '{ failure_threshold: 5, success_threshold: 1 }')).toEqual({
      intervalMs: 500,
      timeoutMs: 500,
      retryIntervalMs: 500,
      failureThreshold: 5,
      successThreshold: 1,
      confirm: { explicit: 2_000, silent: 6_000, path: 10_000 },
      suspectAfter: 'auto',
      slowAfter: 'off',
      degradedThreshold: 3,
      restoredThreshold: 3,
    });
  });

  test('a number may come from a variable', () => {
    const text = 'targets: [{ name: a, tcp: "h:1", failure_threshold: "${N}" }]';
    expect(yaml(text, { N: '7' }).targets[0]!.rules.failureThreshold).toBe(7);
  });
});

describe('purpose', () => {
  const purposes = (defaults: string, keys: string): string[] =>
    yaml(`
hooks: { restart: { shell: "true" } }
defaults: ${defaults}
targets: [{ name: a, tcp: "h:1" }, { name: b, tcp: "h:1", ${keys} }]`).targets.map(({ purpose }) => purpose);

  test('is live unless somebody says otherwise, and the target comes before the defaults', () => {
    expect(purposes('{}', 'purpose: canary')).toEqual(['live', 'canary']);
    expect(purposes('{ purpose: ready }', 'purpose: live, recover: restart')).toEqual(['ready', 'live']);
  });

  test('one that may not recover can take back the actions of the defaults', () => {
    expect(purposes('{ recover: restart }', 'purpose: ready, recover: []')).toEqual(['live', 'ready']);
  });

  test('where both are defaults, the place is there', () => {
    const dir = files({
      't.yaml': `hooks: { restart: { shell: "true" } }
defaults: { purpose: dependency, recover: restart }
targets: [{ name: a, tcp: "h:1" }]`,
    });
    expect(problemsOf(join(dir, 't.yaml'))).toEqual([
      `${dir}/t.yaml:2:34 only a target of purpose live may recover, and this one is dependency; ` +
        '`recover: []` in the target takes back that of the defaults',
    ]);
  });
});

describe('publish', () => {
  test('says where, with its defaults; paths are those of the file', () => {
    const dir = files({
      't.yaml': `
targets: [{ name: a, group: web, tcp: "10.0.0.1:80" }]
publish:
  - file: { group: web, path: run/web.map, format: haproxy_map }
  - file:
      group: web
      path: /run/web.conf
      template: "{name}"
      mode: "0640"
      lease: 10s
      then: [systemctl, reload, x]
  - agent_check: 127.0.0.1:9471
  - agent_check: { listen: 127.0.0.1:9472, weight: idle }`,
    });
    const common = { group: 'web', mode: null, leaseMs: 60_000, reload: null };
    expect(load(join(dir, 't.yaml')).publish).toEqual({
      files: [
        { ...common, path: join(dir, 'run/web.map'), layout: { format: 'haproxy_map' } },
        {
          ...common,
          path: '/run/web.conf',
          layout: { header: '', line: '{name}', footer: '' },
          mode: 0o640,
          leaseMs: 10_000,
          reload: { argv: ['systemctl', 'reload', 'x'], cwd: dir },
        },
      ],
      agentChecks: [
        { listen: { host: '127.0.0.1', port: 9_471 }, weight: null },
        { listen: { host: '127.0.0.1', port: 9_472 }, weight: 'idle' },
      ],
    });
  });

  test('consumers find a target where its probe dials, or where it says', () => {
    const { targets } = yaml(`
targets:
  - { name: a, tcp: "10.0.0.1:80" }
  - { name: b, http: "https://[fd00::1]/ready" }
  - { name: c, exec: ["true"] }
  - { name: d, icmp: 10.0.0.4 }
  - { name: e, http: "http://h:81/ready", serves: h:80 }
  - { name: f, grpc: "h:5000", serves: { weight: 3 } }
  - { name: g, websocket: wss://h/x }`);
    expect(targets.map(({ serves }) => serves)).toEqual([
      { address: { host: '10.0.0.1', port: 80 }, weight: 1 },
      { address: { host: 'fd00::1', port: 443 }, weight: 1 },
      { address: null, weight: 1 },
      { address: null, weight: 1 },
      { address: { host: 'h', port: 80 }, weight: 1 },
      { address: { host: 'h', port: 5_000 }, weight: 3 },
      { address: { host: 'h', port: 443 }, weight: 1 },
    ]);
  });
});

describe('groups and maintenance', () => {
  const TARGETS = `
targets:
  - { name: "web-{n}", each: { n: [1, 2, 3] }, group: web, labels: { rack: 7, tier: front }, tcp: "h:1" }
  - { name: db, group: data, labels: { rack: 7 }, tcp: "h:1" }
  - { name: alone, tcp: "h:1" }`;

  test('every group that a target names is one; all of its members are needed unless somebody says otherwise', () => {
    const { groups } = yaml(`${TARGETS}
hooks: { ops: { shell: "true" } }
groups: { web: { at_least: 2, notify: ops, drain: 10s, warm: 1m } }`);
    expect(groups).toEqual([
      {
        name: 'web',
        members: ['web-1', 'web-2', 'web-3'],
        atLeast: 2,
        notify: ['ops'],
        drainMs: 10_000,
        warmMs: 60_000,
      },
      { name: 'data', members: ['db'], atLeast: 1, notify: [], drainMs: 0, warmMs: 0 },
    ]);
  });

  test.each([
    ['targets: db', ['db'], []],
    ['groups: web', ['web-1', 'web-2', 'web-3'], ['web']],
    ['labels: { rack: 7 }', ['web-1', 'web-2', 'web-3', 'db'], []],
    ['labels: { rack: 7, tier: front }', ['web-1', 'web-2', 'web-3'], []],
    ['targets: [alone, web-1], groups: [web]', ['alone', 'web-1', 'web-2', 'web-3'], ['web']],
    ['all: true', ['web-1', 'web-2', 'web-3', 'db', 'alone'], ['web', 'data']],
  ])('maintenance with %s holds for %j', (selection, targets, groups) => {
    const { maintenance } = yaml(`${TARGETS}
maintenance: [{ ${selection}, cron: "0 3 * * sun", for: 2h, zone: Europe/Berlin, reason: patches }]`);
    expect(maintenance).toEqual([
      { reason: 'patches', cron: '0 3 * * sun', zone: 'Europe/Berlin', forMs: 7_200_000, targets, groups },
    ]);
  });

  test('they may stand in every file, and a group in one of them', () => {
    const dir = files({
      'a.yaml': `${TARGETS}\ngroups: { web: { at_least: 1 } }`,
      'b.yaml':
        'groups: { web: { at_least: 2 } }\nmaintenance: [{ targets: db, cron: "@daily", for: 1h, reason: x }]',
    });
    expect(problemsOf(dir)).toEqual([
      `${dir}/b.yaml:1:11 the group "web" is declared in ${dir}/a.yaml already`,
    ]);
    writeFileSync(join(dir, 'b.yaml'), 'maintenance: [{ targets: db, cron: "@daily", for: 1h, reason: x }]');
    expect(load(dir).maintenance.length).toBe(1);
  });
});

describe('each', () => {
  test('one target for each combination; other braces stay', () => {
    const { targets } = yaml(`
targets:
  - name: "{env}-{host}"
    each: { env: [a, b], host: [x, y] }
    labels: { where: "{host}" }
    http: { url: "http://{host}:8080/", body: '{"ping":{"n":1}}', expect: { body: "^a{2}" } }
`);
    expect(targets.map(({ name }) => name)).toEqual(['a-x', 'a-y', 'b-x', 'b-y']);
    expect(targets[1]).toMatchObject({ host: 'y', labels: { where: 'y' } });
    expect(targets[1]!.probe.settings).toMatchObject({ body: { text: '{"ping":{"n":1}}' } });
  });
});

describe('several files', () => {
  test('targets and hooks come together from files and directories, in order', () => {
    const dir = files({
      'main.yaml': 'defaults: { interval: 9s, notify: ops }\nhooks: { ops: { shell: "true" } }',
      'conf.d/10-a.yaml': 'targets: [{ name: a, tcp: "h:1" }]',
      'conf.d/20-b.yml': 'targets: [{ name: b, tcp: "h:1", depends_on: a }]',
      'conf.d/notes.txt': 'not yaml: [',
      'conf.d/.hidden.yaml': 'not yaml: [',
    });
    const config = load([join(dir, 'main.yaml'), join(dir, 'conf.d')]);
    expect(config.targets.map(({ name, rules, notify }) => [name, rules.intervalMs, notify])).toEqual([
      ['a', 9_000, ['ops']],
      ['b', 9_000, ['ops']],
    ]);
  });

  test('the problems of all files are told together; what holds for all files stands in one', () => {
    const dir = files({
      'a.yaml': 'stop_grace: 5s\ntargets: [{ name: a, tcp: h }]',
      'b.yaml': 'stop_grace: 6s\ntargets: [{ name: a, tcp: "h:1" }]',
    });
    expect(problemsOf(dir)).toEqual([
      `${dir}/a.yaml:2:27 "h" has no port; write host:port`,
      `${dir}/b.yaml:1:1 stop_grace holds for all files, and is set in ${dir}/a.yaml already`,
      `${dir}/b.yaml:2:19 a target named "a" is declared at ${dir}/a.yaml:2 already`,
    ]);
  });

  test('files that are not there and directories without YAML are named', () => {
    const dir = files({ 'x.txt': '' });
    expect(problemsOf([join(dir, 'none.yaml'), dir])).toEqual([
      `${dir}/none.yaml there is no such file`,
      `${dir} there is no .yaml or .yml file in this directory`,
    ]);
  });
});

describe('references', () => {
  test('are expanded inside scalars only, after parsing', () => {
    const dir = files({
      token: 's3cret\n',
      't.yaml': `
targets:
  - name: a
    http:
      url: http://\${HOST}:\${PORT:-8080}/x
      headers: { authorization: "Bearer \${file:./token}", literal: "$\${HOST}", tricky: "\${TRICKY}" }
`,
    });
    const env = { HOST: 'web', TRICKY: 'a: {b, c}' };
    const [target] = load(join(dir, 't.yaml'), env).targets;
    expect(target!.probe.settings).toMatchObject({
      url: 'http://web:8080/x',
      headers: { authorization: 'Bearer s3cret', literal: '${HOST}', tricky: 'a: {b, c}' },
    });
  });

  test('a shell line is left to the shell', () => {
    const config = yaml(
      'targets: [{ name: a, exec: { shell: "echo ${HOME:?}" } }]\nhooks: { h: { shell: { command: "echo ${X}", env: { X: "${Y}" } } } }',
      { Y: 'yes' },
    );
    expect(config.targets[0]!.probe.settings).toMatchObject({ shell: ['/bin/sh', '-c', 'echo ${HOME:?}'] });
    expect(config.hooks.get('h')!.settings).toMatchObject({
      argv: ['/bin/sh', '-c', 'echo ${X}'],
      env: { X: 'yes' },
    });
  });

  const SECRETIVE = `
targets:
  - name: \${NAME}
    http:
      url: http://\${HOST}:\${PORT}/\${PATH_}?token=\${QUERY}
      headers: { x-token: "\${HEADER}" }
      auth: { basic: { username: "\${USER_}", password: written-out } }
      body: { json: { key: "\${BODY}" } }
  - name: b
    tcp: { address: "\${HOST}:\${PORT}", send: "\${SEND}" }
  - name: c
    exec: [/bin/echo, "\${ARG}"]
    interval: \${INTERVAL}
hooks:
  h: { webhook: "\${HOOK}" }
`;
  const ENV = {
    NAME: 'orders',
    HOST: 'web',
    PORT: '8080',
    PATH_: 'health',
    INTERVAL: '7s',
    QUERY: 'query-secret',
    HEADER: 'header-secret',
    USER_: 'user-secret',
    BODY: 'body-secret',
    SEND: 'send-secret',
    ARG: 'arg-secret',
    HOOK: 'https://hooks.example.com/hook-secret',
  };

  test('print as *** but in hosts, ports, paths and names', () => {
    const config = yaml(SECRETIVE, ENV);
    const printed = JSON.stringify(masked(config.merged, config.redact));
    expect(printed).not.toContain('secret');
    expect(printed).not.toContain('written-out');
    for (const readable of ['http://web:8080/health?token=***', '"web:8080"', '"orders"', '"7s"']) {
      expect(printed).toContain(readable);
    }
    expect(config.redact('cannot reach arg-secret')).toBe('cannot reach ***');
  });

  test('are masked in whatever form, also where they are written out', () => {
    const { redact } = yaml(`
targets:
  - name: web
    http: { url: "http://h/", auth: { basic: { username: joe, password: "p@ss-\\"word" } } }
  - { name: api, http: { url: "http://h/", headers: { Authorization: "Bearer abcdefgh-1" } } }
  - { name: far, http: { url: "http://h/", proxy: "http://joe:proxy-pw@p:3128" } }
`);
    const echoes = [
      `Basic ${Buffer.from('joe:p@ss-"word').toString('base64').replace(/=+$/, '')}`,
      String.raw`"p@ss-\"word"`,
      '/?x=p%40ss-%22word',
      'token=abcdefgh-1',
      `Basic ${Buffer.from('joe:proxy-pw').toString('base64').replace(/=+$/, '')}`,
      'by proxy-pw',
    ];
    expect(echoes.map(redact)).toEqual(['Basic ***', '"***"', '/?x=***', 'token=***', 'Basic ***', 'by ***']);
    expect(redact('joe of web')).toBe('joe of web');
  });

  test('so are those whose name says what they are', () => {
    const { redact, merged } = yaml(`
targets:
  - { name: web, http: { url: "http://h/z?deep=1&sig=url-sig", headers: { X-Api-Key: header-key, x-short: abc } } }
  - { name: rpc, grpc: { address: "h:1", metadata: { x-token: meta-token } } }
  - { name: own, exec: { command: [/bin/echo], env: { PGPASSWORD: env-password, PGUSER: joe-smith } } }
`);
    const printed = JSON.stringify(masked(merged, redact));
    for (const secret of ['url-sig', 'header-key', 'meta-token', 'env-password']) {
      expect(printed).not.toContain(secret);
      expect(redact(`says ${secret}`)).toBe('says ***');
    }
    for (const readable of ['http://h/z?deep=1&sig=***', '"abc"', '"joe-smith"'])
      expect(printed).toContain(readable);
  });

  test('those of hooks are masked, wherever they are written', () => {
    const { redact, merged } = yaml(`
targets: [{ name: web, tcp: "h:1" }]
hooks:
  chat: { slack: "https://hooks.slack.example/T1/B2/s3cr3t" }
  team: { teams: { url: "https://flows.example/sig=teamsecret" } }
  pager: { pagerduty: { routing_key: r0ut1ngkey } }
  signed: { webhook: { url: "http://h/", hmac: sixteen-letters! } }
  mail: { email: { server: "h:587", from: a@h, to: b@h, username: joe, password: mailsecret } }
`);
    const printed = JSON.stringify(masked(merged, redact));
    for (const secret of ['s3cr3t', 'teamsecret', 'r0ut1ngkey', 'sixteen-letters!', 'mailsecret']) {
      expect(printed).not.toContain(secret);
    }
    expect(redact('POST https://hooks.slack.example/T1/B2/s3cr3t r0ut1ngkey sixteen-letters!')).toBe(
      'POST *** *** ***',
    );
  });

  test('do not show in the messages of other problems', () => {
    const dir = files({
      't.yaml': 'targets: [{ name: a, http: { url: "http://h/", method: "${M}" }, tcp: "${S}" }]',
    });
    const said = problemsOf(join(dir, 't.yaml'), { M: 'get', S: 'no address but a s3cret' }).join('\n');
    expect(said).toContain('a method is written in capitals');
    const hidden = files({
      't.yaml':
        'targets: [{ name: a, exec: [/bin/echo], interval: 5s, labels: { x: y } }]\nhooks: { h: { webhook: "${S}" } }',
    });
    const message = problemsOf(join(hidden, 't.yaml'), { S: 'not-a-url-s3cret' }).join('\n');
    expect(message).not.toContain('s3cret');
  });

  test('a changed secret makes another fingerprint', () => {
    const dir = files({
      't.yaml': 'targets: [{ name: a, http: { url: "http://h/", headers: { x: "${T}" } } }]',
    });
    const print = (value: string) => load(join(dir, 't.yaml'), { T: value }).targets[0]!.fingerprint;
    expect(print('a')).toBe(print('a'));
    expect(print('a')).not.toBe(print('b'));
  });
});

test('the same YAML twice gives the same fingerprints; a changed default another one', () => {
  const print = (interval: string) =>
    files({ 't.yaml': `defaults: { interval: ${interval} }\ntargets: [{ name: a, tcp: "h:1" }]` });
  const dir = print('90.1s');
  const first = load(dir).targets[0]!.fingerprint;
  expect(load(dir).targets[0]!.fingerprint).toBe(first);
  writeFileSync(join(dir, 't.yaml'), 'defaults: { interval: 90.2s }\ntargets: [{ name: a, tcp: "h:1" }]');
  expect(load(dir).targets[0]!.fingerprint).not.toBe(first);
});

test('anchors and merge keys of YAML work', () => {
  const { targets } = yaml(`
targets:
  - &base { name: a, tcp: "h:1", failure_threshold: 4 }
  - { <<: *base, name: b }
`);
  expect(targets.map(({ name, rules }) => [name, rules.failureThreshold])).toEqual([
    ['a', 4],
    ['b', 4],
  ]);
});

test('names of the language itself are no trap', () => {
  expect(() => yaml('targets: [{ name: constructor, tcp: "h:1", labels: { toString: x } }]')).not.toThrow();
  const dir = files({ 't.yaml': 'targets: [{ name: a, tcp: "h:1", constructor: 1, notify: toString }]' });
  expect(problemsOf(dir)).toEqual([
    `${dir}/t.yaml:1:34 unknown key "constructor"`,
    `${dir}/t.yaml:1:58 unknown hook "toString"`,
  ]);
});

test('a chain of ten thousand dependencies is no problem', () => {
  const chain = Array.from(
    { length: 10_000 },
    (_, i) => `  - { name: t${i}, tcp: "h:1", depends_on: [t${i + 1}] }`,
  );
  expect(yaml(`targets:\n${chain.join('\n')}\n  - { name: t10000, tcp: "h:1" }`).targets.length).toBe(10_001);
});

test('targets.example.yaml is valid as it stands', () => {
  const config = load('targets.example.yaml');
  expect(config.targets.length).toBe(9);
  const kinds = new Set(config.targets.map(({ probe }) => probe.kind));
  for (const kind of ['http', 'tcp', 'grpc', 'exec']) expect(kinds).toContain(kind);
});
