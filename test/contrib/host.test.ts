import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { ask, onlyThese, said } from '../support/contrib.ts';
import { findPrograms } from '../support/programs.ts';
import { temporaryDirectory } from '../support/real-server.ts';

const onLinux = process.platform === 'linux';

describe.skipIf(!onLinux)('disk.sh', () => {
  test('this host', async () => {
    const fine = await ask('disk.sh', [
      '--warn',
      '101',
      '--fail',
      '101',
      '--read-only',
      '--inodes-fail',
      '101',
      '/',
    ]);
    expect(said(fine)).toMatch(/^(ok: there is room: the fullest is \/ with|warn: \/ has used) \d+ %/);
    expect(fine.facts).toMatchObject({ '/': expect.any(Number), '/ free': expect.any(Number) });
    expect(said(await ask('disk.sh', ['--read-only', '--warn', '0', '--fail', '101', '/']))).toMatch(
      /^warn: \/ is full to \d+ %, \d+ [GMK]iB left/,
    );
    expect(said(await ask('disk.sh', ['--fail', '0', '/']))).toMatch(/^fail: \/ is full to \d+ %/);
    expect(said(await ask('disk.sh', ['--free-fail', '999999G', '/']))).toMatch(/^fail: \/ is full to/);
    const directory = temporaryDirectory();
    expect(said(await ask('disk.sh', ['--mounted', directory]))).toBe(`fail: ${directory} is not mounted`);
    expect(said(await ask('disk.sh', [`${directory}/none`]))).toBe(`fail: ${directory}/none does not exist`);
  });

  const found = findPrograms([
    { program: 'mount', from: 'mount' },
    { program: 'umount', from: 'mount' },
  ]);
  const [doMount, doUnmount] = found ?? ['mount', 'umount'];
  const mounts: string[] = [];
  afterEach(() => {
    for (const path of mounts.splice(0)) spawnSync(doUnmount, [path]);
  });

  function mount(options: string): string | undefined {
    const path = join(temporaryDirectory(), 'a mount');
    mkdirSync(path);
    if (spawnSync(doMount, ['-t', 'tmpfs', '-o', options, 'tmpfs', path]).status !== 0) return undefined;
    mounts.push(path);
    return path;
  }

  test('a file system of our own: full, out of inodes, read-only', async ({ skip }) => {
    const path = mount('size=1m,nr_inodes=20');
    if (path === undefined) {
      // oxlint-disable-next-line no-console -- a test that is skipped must say what it misses
      console.warn('skipped: we may not mount a file system here');
      return skip();
    }
    expect(said(await ask('disk.sh', ['--mounted', path]))).toMatch(
      /^ok: there is room: .*a mount with 0 %$/,
    );
    writeFileSync(join(path, 'large'), Buffer.alloc(900 * 1024));
    const filled = await ask('disk.sh', [path]);
    expect(said(filled)).toBe(`warn: ${path} is full to 88 %, 124 KiB left`);
    expect(filled.facts).toMatchObject({ [path]: 88, [`${path} free`]: 124 });
    for (let n = 0; n < 17; n++) writeFileSync(join(path, String(n)), '');
    expect(said(await ask('disk.sh', ['--warn', '99', path]))).toBe(
      `fail: ${path} has used 95 % of its inodes`,
    );
    spawnSync(doMount, ['-o', 'remount,ro', path]);
    const limits = ['--warn', '99', '--inodes-warn', '100', '--inodes-fail', '101'];
    expect(said(await ask('disk.sh', [...limits, path]))).toBe(`fail: ${path} is read-only`);
    expect((await ask('disk.sh', [...limits, '--read-only', path])).status).toBe('ok');
  });

  test('without a path, all local file systems; misused', async () => {
    expect((await ask('disk.sh', [])).status).not.toBe('void');
    expect(said(await ask('disk.sh', ['--wran', '3']))).toBe('void: there is no setting --wran');
    expect(said(await ask('disk.sh', ['--warn', '80%']))).toBe('void: 80% is not a whole number');
  });
});

/** A /proc of our own: the rows that the scripts read, written by hand in the kernel's form. */
function proc(files: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'pressure'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

function meminfo(available: number, swapFree: number): string {
  const rows = { MemTotal: 8_000_000, MemFree: 200_000, MemAvailable: available, Buffers: 30_000 };
  const swap = { SwapCached: 0, SwapTotal: 1_000_000, SwapFree: swapFree };
  return Object.entries({ ...rows, ...swap })
    .map(([name, value]) => `${`${name}:`.padEnd(16)}${String(value).padStart(8)} kB\n`)
    .join('');
}

function pressure(some: string, full: string): string {
  return `some avg10=0.00 avg60=${some} avg300=0.12 total=1234\nfull avg10=0.00 avg60=${full} avg300=0.00 total=99\n`;
}

describe('memory.sh', () => {
  const CALM = pressure('0.00', '0.00');
  test.each<[string, string, string | undefined]>([
    ['ok: 50 % of the memory is available (3906 MiB)', meminfo(4_000_000, 1_000_000), CALM],
    ['ok: 50 % of the memory is available (3906 MiB)', meminfo(4_000_000, 1_000_000), undefined],
    ['warn: only 9 % of the memory is available (703 MiB)', meminfo(720_000, 1_000_000), CALM],
    ['fail: only 4 % of the memory is available (312 MiB)', meminfo(320_000, 1_000_000), CALM],
    ['warn: 70 % of the swap is in use', meminfo(4_000_000, 300_000), CALM],
    ['fail: 95 % of the swap is in use', meminfo(4_000_000, 50_000), CALM],
    [
      'warn: some programs waited for memory in 12.50 % of the last minute',
      meminfo(4_000_000, 1_000_000),
      pressure('12.50', '4.99'),
    ],
    [
      'fail: everything waited for memory in 20.00 % of the last minute; some programs waited for memory in 30.10 % of the last minute',
      meminfo(4_000_000, 1_000_000),
      pressure('30.10', '20.00'),
    ],
  ])('%s', async (expected, memory, waits) => {
    const directory = proc({ meminfo: memory, ...(waits && { 'pressure/memory': waits }) });
    const outcome = await ask('memory.sh', ['--proc', directory]);
    expect(said(outcome)).toBe(expected);
    expect(outcome.facts).toMatchObject({ available: expect.any(Number), swap: expect.any(Number) });
  });

  test.skipIf(!onLinux)('this host', async () => {
    const outcome = await ask('memory.sh', []);
    expect(outcome.status).not.toBe('void');
    expect(outcome.facts).toMatchObject({ available: expect.any(Number) });
  });

  test('misused, and not on Linux', async () => {
    expect(said(await ask('memory.sh', ['--proc', '/nowhere']))).toBe(
      'void: there is no /nowhere/meminfo: this script is for Linux',
    );
    expect(said(await ask('memory.sh', ['--proc', proc({ meminfo: 'MemTotal: 1 kB\n' })]))).toMatch(
      /^void: .* does not tell what is available$/,
    );
    expect(said(await ask('memory.sh', ['--swap', '3']))).toBe('void: there is no setting --swap');
  });
});

describe('load.sh', () => {
  const cpuinfo = Array.from({ length: 4 }, (_, n) => `processor\t: ${n}\nmodel name\t: x\n`).join('\n');
  test.each<[string, string, string, string]>([
    ['ok: the load is 0.50 for each of 4 cores', '2.00', '0.00', '0.00'],
    ['warn: the load is 2.00 for each of 4 cores (9.00, 8.00, 7.00)', '8.00', '0.00', '0.00'],
    ['fail: the load is 6.00 for each of 4 cores (9.00, 24.00, 7.00)', '24.00', '0.00', '0.00'],
    ['warn: some programs waited for a core in 61.20 % of the last minute', '2.00', '61.20', '0.00'],
    ['fail: everything waited for disks in 60.00 % of the last minute', '2.00', '0.00', '60.00'],
  ])('%s', async (expected, five, cpu, io) => {
    const directory = proc({
      cpuinfo,
      loadavg: `9.00 ${five} 7.00 3/812 41234\n`,
      'pressure/cpu': pressure(cpu, '0.00'),
      'pressure/io': pressure('0.00', io),
    });
    const outcome = await ask('load.sh', ['--proc', directory]);
    expect(said(outcome)).toBe(expected);
    expect(outcome.facts).toMatchObject({ cores: 4, load1: 9, load5: Number(five), load15: 7 });
  });

  test.skipIf(!onLinux)('this host', async () => {
    const outcome = await ask('load.sh', []);
    expect(outcome.status).not.toBe('void');
    expect(outcome.facts).toMatchObject({ load_per_core: expect.any(Number), cores: expect.any(Number) });
    expect((await ask('load.sh', ['--load-fail', '0'])).status).toBe('fail');
  });

  test('misused, and not on Linux', async () => {
    expect(said(await ask('load.sh', ['--proc', '/nowhere']))).toMatch(
      /^void: there is no \/nowhere\/loadavg/,
    );
    expect(said(await ask('load.sh', ['--load-warn', '1.2.3']))).toBe('void: 1.2.3 is not a number');
  });
});

/** Answers in the form of `systemctl show`; no systemd runs here. */
describe('systemd-unit.sh against answers of systemctl show', () => {
  const RUNNING = {
    LoadState: 'loaded',
    ActiveState: 'active',
    SubState: 'running',
    Result: 'success',
    NRestarts: '0',
    ExecMainStatus: '0',
    ExecMainCode: '0',
    StatusText: '',
  };

  async function asked(changed: Partial<typeof RUNNING>, ...args: string[]) {
    const directory = onlyThese('sed', 'tr', 'cat', 'sh');
    const lines = Object.entries({ ...RUNNING, ...changed }).map(([name, value]) => `${name}=${value}`);
    writeFileSync(
      join(directory, 'systemctl'),
      `#!/bin/sh\necho "$*" >'${directory}/asked'\ncat <<'END'\n${lines.join('\n')}\nEND\n`,
    );
    chmodSync(join(directory, 'systemctl'), 0o755);
    return ask('systemd-unit.sh', [...args, 'orders.service'], { PATH: directory });
  }

  const DIED = {
    ActiveState: 'activating',
    SubState: 'auto-restart',
    Result: 'exit-code',
    ExecMainStatus: '1',
  };
  test.each<[string, Partial<typeof RUNNING>, string[]]>([
    ['ok: orders.service is active (running)', {}, []],
    ['ok: orders.service is active (running): 12 workers', { StatusText: '12 workers' }, []],
    ['warn: orders.service runs, after 3 restarts', { NRestarts: '3' }, []],
    ['fail: orders.service runs, after 9 restarts', { NRestarts: '9' }, ['--restarts-fail', '9']],
    [
      'fail: orders.service died (exit-code, exit status 1) and waits for restart 5',
      { ...DIED, NRestarts: '4' },
      [],
    ],
    [
      'fail: orders.service has failed (oom-kill, exit status 9)',
      { ActiveState: 'failed', SubState: 'failed', Result: 'oom-kill', ExecMainStatus: '9' },
      [],
    ],
    ['fail: orders.service is not running', { ActiveState: 'inactive', SubState: 'dead' }, []],
    [
      'warn: orders.service is activating (start-pre)',
      { ActiveState: 'activating', SubState: 'start-pre' },
      [],
    ],
    ['warn: orders.service is deactivating (stop)', { ActiveState: 'deactivating', SubState: 'stop' }, []],
    [
      'ok: the last run of orders.service succeeded',
      { ActiveState: 'inactive', SubState: 'dead' },
      ['--job'],
    ],
    ['ok: orders.service runs', { ActiveState: 'activating', SubState: 'start' }, ['--job']],
    [
      'fail: the last run of orders.service failed (timeout, exit status 0)',
      { ActiveState: 'inactive', SubState: 'dead', Result: 'timeout' },
      ['--job'],
    ],
    ['fail: there is no unit orders.service', { LoadState: 'not-found', ActiveState: 'inactive' }, []],
    ['fail: orders.service is masked', { LoadState: 'masked', ActiveState: 'inactive' }, []],
    ['fail: the file of orders.service is broken (bad-setting)', { LoadState: 'bad-setting' }, []],
  ])('%s', async (expected, changed, args) => {
    const outcome = await asked(changed, ...args);
    expect(said(outcome)).toBe(expected);
    expect(outcome.facts).toEqual({ restarts: Number(changed.NRestarts ?? 0) });
  });

  test('no systemd, no systemctl, no unit', async () => {
    const directory = onlyThese('sed', 'tr', 'sh');
    expect(said(await ask('systemd-unit.sh', ['a'], { PATH: directory }))).toBe(
      'void: there is no systemctl here',
    );
    const line = "System has not been booted with systemd as init system (PID 1). Can't operate.";
    writeFileSync(join(directory, 'systemctl'), `#!/bin/sh\necho "${line}" >&2\nexit 1\n`);
    chmodSync(join(directory, 'systemctl'), 0o755);
    expect(said(await ask('systemd-unit.sh', ['a'], { PATH: directory }))).toBe(`void: systemctl: ${line}`);
    expect(said(await ask('systemd-unit.sh', []))).toBe('void: name one unit');
  });
});
