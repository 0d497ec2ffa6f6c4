import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { exec } from '../../probes/exec/probe.ts';
import type { TraceEntry } from '../../src/core/trace.ts';
import { relativeTo } from '../../src/schema/file.ts';
import { report } from '../../probes/exec/report.ts';
import { attemptOnce } from '../support/attempt.ts';
import { bounded } from '../support/bounded.ts';
import { HOSTILE_PATTERN } from '../support/hostile-pattern.ts';
import { verdict } from '../support/verdict.ts';
import { eventually } from '../support/eventually.ts';

const dir = realpathSync(mkdtempSync(join(tmpdir(), 'vitald-')));
afterAll(() => rmSync(dir, { recursive: true }));

function script(name: string, lines: string, mode = 0o755): string {
  writeFileSync(join(dir, name), lines);
  chmodSync(join(dir, name), mode);
  return `./${name}`;
}

/** One attempt: the verdict and the message. */
async function judged(settings: unknown, timeoutMs = 5_000): Promise<string> {
  const attempt = await attemptOnce(exec, settings, { dir, timeoutMs });
  return `${verdict(attempt)}: ${attempt.outcome.message}`;
}

describe('the exit code', () => {
  test.each([
    ['exit 0', 'ok: exit 0'],
    ['exit 1', 'warn: exit 1'],
    ['exit 2', 'fail exit explicit: exit 2'],
    ['exit 3', 'void: exit 3'],
    ['exit 4', 'fail exit explicit: exit 4'],
    ['exit 255', 'fail exit explicit: exit 255'],
    ['kill -KILL $$', 'fail exit explicit: killed by SIGKILL'],
    ['echo said; kill -SEGV $$', 'fail exit explicit: killed by SIGSEGV: said'],
    ['echo; echo "  disk fine  "; echo more', 'ok: disk fine'],
    ['echo full; exit 2', 'fail exit explicit: full'],
    ['echo why >&2; exit 2', 'fail exit explicit: why'],
    ['echo out; echo err >&2; exit 1', 'warn: out'],
    [
      'no-such-command-anywhere',
      expect.stringMatching(/^fail exit explicit: .*(not found|ermission denied)/),
    ],
  ])('%s -> %s', async (shell, expected) => expect(await judged({ shell })).toEqual(expected));
});

describe('output, output_not', () => {
  test.each([
    [{ shell: 'echo state: ok', output: 'ok$' }, 'fail mismatch explicit: the output does not match /ok$/'],
    [{ shell: 'printf "state: ok"', output: 'ok$' }, 'ok: state: ok'],
    [{ shell: 'echo one; echo two', output: '(?m)^two$' }, 'ok: one'],
    [
      { shell: 'echo Error', output_not: '(?i)error' },
      'fail mismatch explicit: the output matches /(?i)error/',
    ],
    [{ shell: 'echo Error >&2', output_not: '(?i)error' }, 'ok: Error'],
    [{ shell: 'echo a; exit 1', output: 'b' }, 'fail mismatch explicit: the output does not match /b/'],
    [{ shell: 'echo a; exit 2', output: 'b' }, 'fail exit explicit: a'],
    [{ shell: 'echo a; exit 3', output: 'b' }, 'void: a'],
  ])('%j -> %s', async (settings, expected) => expect(await judged(settings)).toBe(expected));

  test('a heavy pattern is held against the beginning', async () => {
    const found = `${'a'.repeat(41)}!`;
    const near = ['printf', '%s', `up\n${'b'.repeat(1_800)}${found}`];
    const far = ['printf', '%s', `up\n${'b'.repeat(1_920)}${found}`];
    expect(await judged({ command: near, output: HOSTILE_PATTERN })).toBe('ok: up');
    expect(await judged({ command: near, output_not: HOSTILE_PATTERN })).toContain('fail mismatch explicit');
    expect(await judged({ command: far, output: HOSTILE_PATTERN })).toContain('fail mismatch explicit');
    expect(await judged({ command: far, output_not: HOSTILE_PATTERN })).toBe('ok: up');
  });
});

describe('facts', () => {
  test.each([
    ['DISK OK - fine | /=2643MB;5948;5958;0;5968', { '/': 2643 }, 'DISK OK - fine'],
    ["ok |'a b'=1.5s 'it''s'=-2 c=3%;4;5", { 'a b': 1.5, "it's": -2, c: 3 }, 'ok'],
    ['ok | load1=0.020;5.000;10.000;0; load5=0.1', { load1: 0.02, load5: 0.1 }, 'ok'],
    ['ok | undetermined=U', undefined, 'ok'],
    ['ok | hex=0x10 b=0;1;2 c=0B', { b: 0, c: 0 }, 'ok'],
    ['ok | undetermined=U;1;2 b=U c=3', { c: 3 }, 'ok'],
    ["'all of it' | 'label with spaces'=4.5MB;@1:2;~:3;0;10", { 'label with spaces': 4.5 }, "'all of it'"],
    [
      'ok | a=1c b=-0.5 c=.5s d=5. e=1e-05 f=+2 g=0,25s;;;0',
      { a: 1, b: -0.5, c: 0.5, d: 5, e: 1e-5, f: 2, g: 0.25 },
      'ok',
    ],
    ['ok | a=1;;;; b=2', { a: 1, b: 2 }, 'ok'],
    ['ok | a=1\nmore text\nand more | b=2\nc=3;4 d=4|', { a: 1, b: 2, c: 3, d: 4 }, 'ok'],
    ['\nok\nlong text | b=2', { b: 2 }, 'ok'],
    ['ok\nlong text a=1', undefined, 'ok'],
    ['| a=1', { a: 1 }, 'exit 0'],
    ['ok |', undefined, 'ok'],
    ["ok | noise 'un closed a=1 'b' c=2;x", { a: 1, c: 2 }, 'ok'],
    ['ok', undefined, 'ok'],
    [
      '{"message":"lag 3","facts":{"lag":3,"role":"replica","synced":true}}',
      { lag: 3, role: 'replica', synced: true },
      'lag 3',
    ],
    ['{"message":"no facts"}', undefined, 'no facts'],
    ['{"facts":{"a":1}}', { a: 1 }, 'exit 0'],
    ['{"message":"nested","facts":{"a":{},"b":null,"c":[1],"d":4}}', { d: 4 }, 'nested'],
    ['{"message":"nested","facts":{"a":{}}}', undefined, 'nested'],
    ['{"message":{"text":"x"}}', undefined, '{"message":{"text":"x"}}'],
    ['{not json', undefined, '{not json'],
  ])('%s -> %j', async (line, facts, message) => {
    const path = script('say', `#!/bin/sh\ncat <<'END'\n${line}\nEND\n`);
    const { outcome } = await attemptOnce(exec, [path], { dir });
    expect([outcome.status, outcome.facts, outcome.message]).toEqual(['ok', facts, message]);
  });

  test('performance data longer than a message may be', async () => {
    const entries = Array.from({ length: 100 }, (_, n) => [`/mnt/volume-${n}`, 1_000_000 + n] as const);
    const line = `${'long '.repeat(200)}| ${entries.map(([name, n]) => `${name}=${n}MB;5;6`).join(' ')}`;
    const path = script('many', `#!/bin/sh\necho '${line}'\n`);
    const { outcome } = await attemptOnce(exec, [path], { dir });
    expect(outcome.message).toBe('long '.repeat(100).trim());
    expect(outcome.facts).toEqual(Object.fromEntries(entries));
  });

  const many = Array.from({ length: 150 }, (_, n): [string, number] => [`n${n}`, n]);
  test.each([
    [
      'performance data on several lines',
      `x | ${words(many.slice(0, 60))}\ny | ${words(many.slice(60))} n5=500`,
      { n5: 500 },
    ],
    ['JSON', JSON.stringify({ message: 'x', facts: Object.fromEntries(many) }), {}],
  ])('of many the first 100, later values of these included: %s', async (_what, output, changed) => {
    const { outcome } = await attemptOnce(exec, ['printf', '%s', output]);
    expect(outcome.facts).toEqual({ ...Object.fromEntries(many.slice(0, 100)), ...changed });
  });

  function words(facts: readonly (readonly [string, number])[]): string {
    return facts.map(([label, value]) => `${label}=${value}`).join(' ');
  }

  test('a failure and a void bring theirs along', async () => {
    for (const code of [2, 3]) {
      const { outcome } = await attemptOnce(exec, { shell: `echo 'x | a=1'; exit ${code}` }, { dir });
      expect([outcome.message, outcome.facts]).toEqual(['x', { a: 1 }]);
    }
  });
});

describe('output that means harm', () => {
  const most = 64 * 1024;
  test.each([
    ['quotes that never close', "'a ".repeat(most / 3)],
    ['doubled quotes', `'x${"''".repeat(most / 2)}`],
    ['words with a quote inside', "x'y=1 ".repeat(most / 6)],
    ['digits without an end', `a=${'1'.repeat(most)}`],
    ['labels without a value', 'a='.repeat(most / 2)],
    ['signs and points', 'a=+-.,e '.repeat(most / 8)],
    ['bars', '|'.repeat(most)],
    ['open braces', '{'.repeat(most)],
  ])('%s: read at once', (_what, text) => {
    for (const stdout of [`ok | ${text}`, `ok\nmore | ${text}`, text]) {
      bounded(() => report({ code: 0, signal: null, stdout, stderr: '' }));
    }
  });
});

describe('how it runs', () => {
  test('a list is an argv: no shell sees it', async () => {
    const path = script('args', '#!/bin/sh\nfor a; do printf "<%s>" "$a"; done\n');
    expect(await judged([path, '$HOME; ls', '', 90, true])).toBe('ok: <$HOME; ls><><90><true>');
    expect(await judged({ command: ['echo', '*'] })).toBe('ok: *');
    expect(await judged({ shell: 'echo $((1 + 1)) | tr 2 3' })).toBe('ok: 3');
  });

  test('the directory is that of the file unless `cwd` says so, stdin is empty, `env` is added', async () => {
    vi.stubEnv('VITALD_TEST_LEAK', '1');
    const shell = 'echo "$(pwd -P) [$(cat)] $A ${VITALD_TEST_LEAK-clean} ${PATH:+path}"';
    expect(await judged({ shell, env: { A: 'b' } })).toBe(`ok: ${dir} [] b clean path`);
    expect(await judged({ shell, cwd: '/' })).toBe('ok: / []  clean path');
    vi.unstubAllEnvs();
  });

  test('a child in the background that holds the pipe does not delay the verdict', async () => {
    expect(await judged({ shell: 'sleep 20 & echo done' })).toBe('ok: done');
  });

  test('megabytes of output', async () => {
    const flood = 'head -c 3000000 /dev/zero | tr "\\0" a; exit 2';
    expect(await judged({ shell: flood })).toBe(`fail exit explicit: ${'a'.repeat(500)}`);
  });

  test('the timeout ends the process, and the attempt is silent', async () => {
    const shell = 'sleep 300 & echo $! >pid; wait';
    expect(await judged({ shell }, 200)).toBe('fail timeout silent: no answer within 200ms');
  });

  test('the target and the time that is left are in the environment, unless `env` says otherwise', async () => {
    const shell = 'echo "$VITALD_TARGET $VITALD_TIMEOUT_MS"';
    expect(await judged({ shell }, 30_000)).toMatch(/^ok: t (?:30000|2\d{4})$/);
    expect(await judged({ shell, env: { VITALD_TARGET: 'mine', VITALD_TIMEOUT_MS: '' } })).toBe('ok: mine');
  });

  test('the PATH of `env` is where the program is looked up', async () => {
    script('only-here', '#!/bin/sh\necho found\n');
    expect(await judged({ command: ['only-here'], env: { PATH: `${dir}:/usr/bin:/bin` } })).toBe('ok: found');
  });

  test('a script without a first line for its interpreter is one for the shell', async () => {
    expect(await judged([script('bare', 'echo bare\n')])).toBe('ok: bare');
  });

  test('100 MB of output end normally, in bounded memory', async () => {
    const before = process.memoryUsage();
    const flood = 'head -c 50000000 /dev/zero; head -c 50000000 /dev/zero >&2; exit 1';
    expect(await judged({ shell: flood }, 60_000)).toBe('warn: ');
    const grown = process.memoryUsage();
    expect(grown.arrayBuffers - before.arrayBuffers).toBeLessThan(40_000_000);
    expect(grown.rss - before.rss).toBeLessThan(90_000_000);
  });

  test('who ignores TERM and floods is gone after the timeout, and the next attempt waits for that', async () => {
    const shell = 'trap "" TERM; echo $$ >deaf-pid; while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done';
    expect(await judged({ shell }, 200)).toBe('fail timeout silent: no answer within 200ms');
    const pid = Number(readFileSync(join(dir, 'deaf-pid'), 'utf8'));
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('200 at once; no process and no descriptor is left behind', async () => {
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const own = (): string[] =>
      readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
    const counted = existsSync(`/proc/self/task/${process.pid}/children`);
    const before = counted ? [descriptors(), own().length] : [];
    const all = Array.from({ length: 200 }, (_, n) =>
      judged({ shell: `echo ${n}; cat; exit ${n % 2}` }, 60_000),
    );
    const expected = Array.from({ length: 200 }, (_, n) => `${n % 2 === 0 ? 'ok' : 'warn'}: ${n}`);
    expect(await Promise.all(all)).toEqual(expected);
    if (!counted) return;
    await eventually(() => expect([descriptors(), own().length]).toEqual(before));
  });

  test('phases', async () => {
    expect(Object.keys((await attemptOnce(exec, ['true'])).phases)).toEqual(['wait']);
  });
});

describe('a program that cannot be started', () => {
  test('is refused at load where it is seen then', () => {
    const plain = script('plain', '#!/bin/sh\n', 0o644);
    const problem = (command: unknown): string | undefined =>
      relativeTo(dir, () => exec.settings.safeParse(command).error?.issues[0]?.message);
    expect(problem(['./none'])).toBe(`${dir}/none does not exist`);
    expect(problem(['./none/x'])).toBe(`${dir}/none/x does not exist`);
    expect(problem([plain])).toBe(`${dir}/plain is not executable`);
    expect(problem(['/'])).toBe('/ is not a file');
    expect(problem([''])).toBe('the program has no name');
    expect(problem([])).toMatch(/^the list is empty/);
    expect(problem(['a\0b'])).toMatch(/NUL/);
    expect(problem({ shell: '' })).toBe('the shell line is empty');
    expect(problem({ shell: 'a', command: ['b'] })).toMatch(/^exec takes either/);
    expect(problem({})).toMatch(/^exec takes either/);
    expect(problem({ command: ['true'], script: 'x' })).toBe('Unrecognized key: "script"');
    expect(problem({ shell: 'a\0b' })).toMatch(/NUL/);
    expect(problem({ command: ['true'], cwd: './nowhere' })).toBe(`${dir}/nowhere does not exist`);
    expect(problem({ command: ['true'], cwd: './plain' })).toBe(`${dir}/plain is not a directory`);
    expect(problem({ command: ['true'], env: { 'A=B': 'c' } })).toMatch(/^the name of a variable/);
    expect(problem({ command: ['true'], env: { A: 'b\0c' } })).toMatch(/NUL/);
    expect(problem({ command: ['true'], output: '(' })).toMatch(/does not compile/);
  });

  test('is void at run time', async () => {
    const path = script('going', '#!/bin/sh\n');
    mkdirSync(join(dir, 'place'));
    const settings = relativeTo(dir, () => exec.settings.parse({ command: [path], cwd: './place' }));
    const later = { ...exec, settings: { parse: () => settings } as never };
    const said = async (): Promise<string> => {
      const attempt = await attemptOnce(later, {});
      return `${verdict(attempt)}: ${attempt.outcome.message}`;
    };
    const where = `void: ${dir}/going could not be started:`;
    expect(await said()).toBe('ok: exit 0');
    chmodSync(join(dir, 'going'), 0o644);
    expect(await said()).toBe(`${where} ${dir}/going is not executable (EACCES)`);
    script('going', '#!/nowhere/sh\n');
    expect(await said()).toBe(`${where} the interpreter in its first line is missing (ENOENT)`);
    rmSync(join(dir, 'going'));
    expect(await said()).toBe(`${where} ${dir}/going does not exist (ENOENT)`);
    rmSync(join(dir, 'place'), { recursive: true });
    expect(await said()).toBe(`${where} ${dir}/place does not exist`);
    expect(await judged(['no-such-program-anywhere'])).toMatch(
      /^void: no-such-program-anywhere could not be started: there is no such program in PATH/,
    );
  });
});

describe('the trace', () => {
  async function traced(settings: unknown): Promise<TraceEntry[]> {
    const entries: TraceEntry[] = [];
    await attemptOnce(exec, settings, { dir, onTrace: (entry) => entries.push(entry) });
    return entries;
  }

  test('the argv, the exit, what was written, and every rule', async () => {
    const path = script('told', `#!/bin/sh\necho "lag | a=1"\nseq 30 >&2\nexit 1\n`);
    const settings = {
      command: [path, "it's"],
      env: { PGPASSWORD: 'hush' },
      output: 'none',
      output_not: 'lag',
    };
    expect(await traced(settings)).toEqual([
      { kind: 'sent', what: 'argv', text: String.raw`${dir}/told 'it'\''s'` },
      { kind: 'note', text: `in ${dir}, with PGPASSWORD set` },
      { kind: 'received', what: 'exit', text: 'exit 1' },
      { kind: 'received', what: 'stdout', text: 'lag | a=1' },
      {
        kind: 'received',
        what: 'stderr',
        text: `${Array.from({ length: 20 }, (_, n) => n + 1).join('\n')}\n...`,
      },
      { kind: 'rule', rule: 'exit', passed: false, value: '1', warns: true },
      { kind: 'rule', rule: 'output', passed: false, value: 'lag | a=1' },
      { kind: 'rule', rule: 'output_not', passed: false, value: 'lag | a=1' },
    ]);
  });

  test('a signal', async () => {
    expect(await traced({ shell: 'kill -KILL $$' })).toEqual([
      { kind: 'sent', what: 'argv', text: "/bin/sh -c 'kill -KILL $$'" },
      { kind: 'note', text: `in ${dir}` },
      { kind: 'received', what: 'exit', text: 'killed by SIGKILL' },
      { kind: 'rule', rule: 'exit', passed: false, value: 'SIGKILL', warns: false },
    ]);
  });

  test('exit 3, which neither passes nor fails', async () => {
    expect((await traced({ shell: 'exit 3' })).slice(3)).toEqual([
      { kind: 'rule', rule: 'exit', passed: null, value: '3', warns: false },
    ]);
  });
});
