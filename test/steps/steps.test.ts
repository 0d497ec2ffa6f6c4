import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import type { Action, ActionResult, StepKind } from '../../src/core/step.ts';
import { createSystemClock } from '../../src/runtime/system-clock.ts';
import { steps } from '../../src/steps/index.ts';
import { anAction } from '../support/action.ts';
import { serve } from '../support/servers.ts';
import { eventually } from '../support/eventually.ts';

const dir = mkdtempSync(join(tmpdir(), 'vitald-steps-'));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rmSync(dir, { recursive: true }));
const isRoot = userInfo().uid === 0;
// oxlint-disable-next-line no-console
if (!isRoot) console.warn('steps.test.ts skips a test: only root runs commands as somebody else');

function act<S>(
  kind: StepKind<S>,
  written: unknown,
  action: Partial<Action> = {},
  signal = new AbortController().signal,
): Promise<ActionResult> {
  return kind.act(kind.settings.parse(written), anAction(action), { signal, clock: createSystemClock() });
}

function preview<S>(kind: StepKind<S>, written: unknown, action: Partial<Action> = {}): string {
  return kind.preview(kind.settings.parse(written), anAction(action));
}

describe('exec', () => {
  test('values are put into arguments, and stay inside of them', async () => {
    const result = await act(
      steps.exec,
      ['printf', '%s|', '{target}', 'x{labels.tier}={{y}', '{reason}', '{group}'],
      {
        target: 'a b; id',
      },
    );
    expect(result.output).toBe(`a b; id|xfront={y}|${anAction().reason}||`);
  });

  test('the preview is what a person could type', () => {
    const command = ['systemctl', 'restart', '{target}'];
    expect(preview(steps.exec, command)).toBe('systemctl restart a');
    expect(preview(steps.exec, command, { target: "it's; id" })).toBe(
      String.raw`systemctl restart 'it'\''s; id'`,
    );
    expect(preview(steps.shell, 'echo "$VITALD_TARGET"')).toBe(`/bin/sh -c 'echo "$VITALD_TARGET"'`);
  });

  test('the end of what it printed is kept, and how it ended', async () => {
    const { ok, detail, output } = await act(
      steps.shell,
      'i=0; while [ $i -lt 3000 ]; do echo "line $i of the output"; i=$((i+1)); done; echo no >&2; exit 3',
    );
    expect(ok).toBe(false);
    expect(detail).toBe('exit 3: no');
    expect(output).toMatch(/line 2999 of the output\nno$/);
    expect(output).toMatch(/^line \d+ of the output\n/);
    expect(output).not.toContain('line 1 of');
  });

  test.each([
    ['echo begins; echo "42 rows moved"; echo careful >&2', '42 rows moved'],
    ['echo careful >&2', 'careful'],
    ['echo begins; exit 1', 'exit 1: begins'],
    ['echo begins; echo "it broke" >&2; exit 1', 'exit 1: it broke'],
    [String.raw`printf 'done\n\033[0m\n \n'`, 'done'],
    ['true', 'exit 0'],
    [`i=0; while [ $i -lt 9 ]; do printf '%09000d' $i; i=$((i+1)); done; echo; echo short`, 'short'],
  ])('of what it printed, the last line that says something is the detail: %s', async (line, said) => {
    expect((await act(steps.shell, line)).detail.trim()).toBe(said);
  });

  test('a line without an end does not begin with the rest of a secret', async () => {
    const { output } = await act(steps.shell, `printf '%030000d' 7 | tr 0 s; printf '%050000d' 7`);
    expect(output).toMatch(/^0+7$/);
  });

  test('a last line that is longer than what is kept is kept in part', async () => {
    const long = "head -c 70000 /dev/zero | tr '\\0' '#'; echo ' FATAL: cannot bind'";
    const { output, detail } = await act(steps.shell, `echo starting; ${long}; exit 1`);
    expect(output).toMatch(/#+ FATAL: cannot bind$/);
    expect(detail).toMatch(/^exit 1: #/);
  });

  test('a label that the target does not have is no empty word', async () => {
    await expect(act(steps.exec, ['/bin/echo', 'pod/{labels.pod}'])).rejects.toThrow('a has no label pod');
    expect((await act(steps.exec, ['/bin/echo', '{labels.tier}'])).output).toBe('front');
  });

  test.each([
    [['env', '-S', "sh -c '{labels.x}'"]],
    [['env', '-Ssh -c {target}']],
    [['flock', '/tmp/l', '-c', 'echo {target}']],
    [['python3', '-c', 'print({target})']],
    [['sudo', 'perl', '-e', '{target}']],
    [['awk', '{target}']],
    [['/usr/bin/socat', '-', 'EXEC:{target}']],
  ])('%j would run what a value says', (words) => {
    const { error } = steps.exec.settings.safeParse(words);
    expect(error?.issues[0]?.message).toMatch(/^a shell would run what/);
  });

  test.each([
    [['python3', '/srv/mend.py', '{target}']],
    [['ping', '-c', '3', '{labels.host}']],
    [['env', 'A=1', 'x', '{target}']],
  ])('%j would not', (words) => expect(steps.exec.settings.safeParse(words).success).toBe(true));

  test('a command that cannot be started has failed, and says why', async () => {
    expect(await act(steps.exec, ['no-such-program-anywhere'])).toEqual({
      ok: false,
      detail: expect.stringMatching(/^there is no such program in PATH/),
      output: '',
    });
  });

  test('it steps back for others, with its children', async () => {
    const script = 'cut -d" " -f19 /proc/self/stat; (cut -d" " -f19 /proc/self/stat)';
    const { output } = await act(steps.shell, { command: script, nice: 7 });
    expect(output).toBe('7\n7');
  });

  test.skipIf(!isRoot)('it runs as somebody else, and knows it', async () => {
    const asNobody = { command: 'id -u; echo "$USER $HOME"; echo "$PATH"', user: 'nobody' };
    const { output } = await act(steps.shell, asNobody);
    expect(output).toMatch(/^65534\nnobody \/\S+\n\/usr\/local\/sbin:\S*:\/bin$/);
    const asNumbers = { command: 'id -u; id -g; id -G; echo "$HOME"', user: '12345:54321' };
    expect((await act(steps.shell, asNumbers)).output).toBe('12345\n54321\n54321\n/');
  });

  test('the action is in the environment and on stdin, key for key', async () => {
    const { output } = await act(steps.shell, 'cat; env | grep ^VITALD_ | sort');
    const [json = '', ...env] = output.split('\n');
    expect(JSON.parse(json)).toEqual(anAction());
    expect(env.map((line) => line.split('=', 1)[0])).toEqual([
      'VITALD_AT',
      'VITALD_ATTEMPT',
      'VITALD_CLASS',
      'VITALD_EVENT',
      'VITALD_EVENT_ID',
      'VITALD_GROUP',
      'VITALD_INCIDENT',
      'VITALD_MESSAGE',
      'VITALD_PROBE',
      'VITALD_PURPOSE',
      'VITALD_REASON',
      'VITALD_SINCE',
      'VITALD_STATE',
      'VITALD_STEP',
      'VITALD_TARGET',
      'VITALD_TRY',
    ]);
  });
});

test('systemd: the unit reaches systemctl as one word, which is no option', async () => {
  const told = join(dir, 'told');
  writeFileSync(join(dir, 'systemctl'), `#!/bin/sh\nprintf '%s|' "$@" > ${told}\n`);
  chmodSync(join(dir, 'systemctl'), 0o755);
  const path = process.env['PATH'];
  vi.stubEnv('PATH', `${dir}:${path}`);
  expect(await act(steps.systemd, { unit: 'orders@1.service', action: 'reload' })).toMatchObject({
    ok: true,
  });
  vi.unstubAllEnvs();
  expect(readFileSync(told, 'utf8')).toBe('--no-ask-password|reload|--|orders@1.service|');
  expect(preview(steps.systemd, { unit: 'orders' })).toBe('systemctl --no-ask-password restart -- orders');
  expect(steps.systemd.settings.safeParse({ unit: 'a b' }).success).toBe(false);
});

describe('signal', () => {
  const script = `trap 'echo got > $0' HUP; echo ready; while :; do sleep 0.05; done`;

  /** A process that writes a file when it gets HUP. */
  async function victim(name = 'sh'): Promise<{ pid: number; got: string }> {
    const got = join(dir, `got-${children.length}-${name}`);
    rmSync(got, { force: true });
    const child = spawn('/bin/sh', ['-c', script, got], {
      argv0: name,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return { pid: child.pid!, got };
  }

  function hears(file: string): Promise<void> {
    return eventually(() => expect(existsSync(file)).toBe(true));
  }

  test('goes to the process of a pid file', async () => {
    const { pid, got } = await victim();
    const file = join(dir, 'pid');
    writeFileSync(file, `${pid}\nmore\n`);
    const result = await act(steps.signal, { pid_file: file, signal: 'hup' });
    expect(result).toEqual({ ok: true, detail: `SIGHUP to ${pid}`, output: '' });
    await hears(got);
  });

  test('goes to all processes of a name', async () => {
    const name = `victim-${process.pid}`;
    const [one, other] = [await victim(name), await victim(name)];
    const { detail } = await act(steps.signal, { process: name, signal: 'SIGHUP' });
    for (const { pid } of [one, other]) expect(detail).toContain(String(pid));
    await Promise.all([hears(one.got), hears(other.got)]);
  });

  test('goes to no process that has nothing to do with the file', async () => {
    const { pid, got } = await victim();
    const file = join(dir, 'stale');
    writeFileSync(file, String(pid));
    utimesSync(file, new Date(0), new Date(0));
    await expect(act(steps.signal, { pid_file: file, signal: 'HUP' })).rejects.toThrow(
      'it is another process',
    );
    for (const text of ['1', '0', '-1', 'x', '', String(process.pid)]) {
      writeFileSync(file, text);
      await expect(act(steps.signal, { pid_file: file, signal: 'HUP' })).rejects.toThrow(/stale/);
    }
    expect(existsSync(got)).toBe(false);
    await expect(act(steps.signal, { pid_file: join(dir, 'no'), signal: 'HUP' })).rejects.toThrow(
      'there is no',
    );
    const nobody = `nobody-${process.pid}`;
    await expect(act(steps.signal, { process: nobody, signal: 'HUP' })).rejects.toThrow(
      'no process is called',
    );
  });
});

test('webhook: the action as JSON, with its id as the key against repeats', async () => {
  const bodies: unknown[] = [];
  const port = await serve(
    createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        bodies.push([request.method, request.headers['idempotency-key'], JSON.parse(body)]);
        response.writeHead(bodies.length === 1 ? 202 : 409).end(bodies.length === 1 ? '' : 'it reboots\n');
      });
    }),
  );
  const url = `http://127.0.0.1:${port}/reboot`;
  expect(await act(steps.webhook, url)).toEqual({ ok: true, detail: 'status 202', output: '' });
  expect(await act(steps.webhook, { url, method: 'PUT' })).toMatchObject({
    ok: false,
    detail: 'status 409: it reboots',
  });
  expect(bodies).toEqual([
    ['POST', 'a-1%2F1', anAction()],
    ['PUT', 'a-1%2F1', anAction()],
  ]);
  expect(preview(steps.webhook, url)).toBe(`POST ${url}`);
});
