import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { FileSettings, Publication, PublishReport } from '../../src/core/publication.ts';
import { createPublishedFile } from '../../src/publish/file.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { temporaryDirectory, until } from '../support/real-server.ts';

function web(...published: readonly string[]): Publication {
  return {
    group: 'web',
    panic: false,
    stale: false,
    nodes: ['a', 'b', 'c'].map((name, index) => ({
      name,
      address: { host: `10.0.0.${index + 1}`, port: 80 },
      weight: 1,
      state: 'up',
      published: published.includes(name),
    })),
  };
}

function setUp(settings: Partial<FileSettings> = {}) {
  const directory = temporaryDirectory();
  const path = settings.path ?? join(directory, 'web.map');
  const clock = createFakeClock();
  const reports: string[] = [];
  const file = createPublishedFile({
    settings: {
      group: 'web',
      path,
      layout: { format: 'haproxy_map' },
      mode: null,
      leaseMs: 60_000,
      reload: null,
      ...settings,
    },
    clock,
    onReport: (report: PublishReport) =>
      reports.push(report.what === 'set' ? 'set' : `${report.what}: ${report.detail}`),
  });
  return {
    directory,
    path,
    clock,
    reports,
    file,
    text: () => readFileSync(path, 'utf8'),
    /** The fake clock does not bring disks on. */
    async written(count: number): Promise<void> {
      await until(`${count} reports`, async () => {
        await clock.advance(0);
        return reports.length >= count;
      });
    },
  };
}

/** A command that counts its runs in a file, and fails while there is a file `broken`. */
function counting(directory: string): NonNullable<FileSettings['reload']> {
  const line = 'cat web.map >> seen; echo . >> runs; test ! -e broken || { echo no way >&2; exit 3; }';
  return { argv: ['/bin/sh', '-c', line], cwd: directory };
}

const runs = (directory: string): number =>
  existsSync(join(directory, 'runs')) ? readFileSync(join(directory, 'runs'), 'utf8').length / 2 : 0;

test('it is written when the set changes, and nothing is left beside it', async () => {
  const { file, text, written, reports, directory } = setUp();
  file.offer(web('a', 'b', 'c'));
  await written(1);
  expect(text()).toBe('# vitald: web, valid until 2026-01-01T00:01:00.000Z\na up\nb up\nc up\n');
  file.offer(web('a', 'b', 'c'));
  file.offer(web('a', 'c'));
  await written(2);
  expect(text()).toContain('b down');
  expect([reports, readdirSync(directory)]).toEqual([
    ['written: 3 published', 'written: 2 published'],
    ['web.map'],
  ]);
  await file.stop();
});

test('many changes while one is written come to the last of them', async () => {
  const { file, text, reports, clock } = setUp();
  file.offer(web('a'));
  file.offer(web('a', 'b'));
  file.offer(web());
  file.offer(web('c'));
  await until('the last', async () => {
    await clock.advance(0);
    return reports.length > 1 && text().includes('c up');
  });
  expect(reports).toEqual(['written: 1 published', 'written: 1 published']);
  await file.stop();
});

test('the lease is renewed at half of it, and a file that nobody keeps any more runs out', async () => {
  const { file, text, written, clock, reports } = setUp();
  file.offer(web('a'));
  await written(1);
  await clock.advance(29_999);
  expect(text()).toContain('until 2026-01-01T00:01:00.000Z');
  await clock.advance(1);
  await until('a new lease', () => Promise.resolve(text().includes('until 2026-01-01T00:01:30.000Z')));
  await file.stop();
  await clock.advance(120_000);
  expect(text()).toContain('until 2026-01-01T00:01:30.000Z');
  expect([reports.length, clock.pending]).toEqual([1, 0]);
});

test('after a restart with the same set no reader is bothered', async () => {
  const first = setUp();
  first.file.offer(web('a'));
  await first.written(1);
  await first.file.stop();
  const again = setUp({ path: first.path, reload: counting(first.directory) });
  await again.clock.advance(5_000);
  again.file.offer(web('a'));
  await until('a new lease', () => Promise.resolve(again.text().includes('00:01:05.000Z')));
  await again.clock.advance(10_000);
  expect([again.reports, runs(first.directory)]).toEqual([[], 0]);
  again.file.offer(web('a', 'b'));
  await again.written(1);
  await again.clock.advance(200);
  await again.written(2);
  expect([again.reports[0], runs(first.directory)]).toEqual(['written: 2 published', 1]);
  await again.file.stop();
});

test('the reload comes once for changes that come together, and has the last of them', async () => {
  const directory = temporaryDirectory();
  const { file, written, clock } = setUp({ path: join(directory, 'web.map'), reload: counting(directory) });
  file.offer(web('a', 'b', 'c'));
  await written(1);
  await clock.advance(100);
  file.offer(web('a'));
  await written(2);
  await clock.advance(199);
  expect(runs(directory)).toBe(0);
  await clock.advance(1);
  await written(3);
  expect(runs(directory)).toBe(1);
  expect(readFileSync(join(directory, 'seen'), 'utf8')).toContain('a up\nb down\nc down');
  await file.stop();
});

test('a reload that fails is said once, and tried until it is done', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'broken'), '');
  const { file, written, clock, reports } = setUp({
    path: join(directory, 'web.map'),
    reload: counting(directory),
  });
  file.offer(web('a'));
  await written(1);
  await clock.advance(200);
  await written(2);
  const turns = async (count: number): Promise<void> => {
    await until(`${count} runs`, async () => {
      await clock.advance(1_000);
      return runs(directory) >= count;
    });
  };
  await turns(3);
  rmSync(join(directory, 'broken'));
  await until('a good one', async () => {
    await clock.advance(1_000);
    return reports.length > 2;
  });
  expect(reports.map((line) => line.split(': ').slice(0, 2).join(': '))).toEqual([
    'written: 1 published',
    'not reloaded: /bin/sh',
    'reloaded: /bin/sh -c cat web.map >> seen; echo . >> runs; test ! -e broken || { echo no way >&2; exit 3; }',
  ]);
  expect(reports[1]).toBe('not reloaded: /bin/sh: exit 3: no way');
  await file.stop();
});

test('what cannot be written is said once, and written when it can be', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'missing', 'web.map');
  const { file, written, clock, reports, text } = setUp({ path });
  file.offer(web('a'));
  await written(1);
  expect(reports[0]).toBe(`not written: there is no directory ${join(directory, 'missing')}`);
  await clock.advance(6_000);
  mkdirSync(join(directory, 'missing'));
  await until('the file', async () => {
    await clock.advance(1_000);
    return existsSync(path);
  });
  await written(2);
  expect([reports.length, text().includes('a up')]).toEqual([2, true]);
  await file.stop();
});

test('the mode is as it is written, else as it was, else 0644; a link goes on to lead to the file', async () => {
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
  const plain = setUp();
  plain.file.offer(web('a'));
  await plain.written(1);
  expect(modeOf(plain.path)).toBe('644');
  chmodSync(plain.path, 0o600);
  plain.file.offer(web('b'));
  await plain.written(2);
  expect(modeOf(plain.path)).toBe('600');
  const link = join(plain.directory, 'link');
  symlinkSync(plain.path, link);
  const linked = setUp({ path: link, mode: 0o640 });
  linked.file.offer(web('c'));
  await linked.written(1);
  expect([modeOf(plain.path), readFileSync(plain.path, 'utf8').includes('c up')]).toEqual(['640', true]);
  await Promise.all([plain.file.stop(), linked.file.stop()]);
});

test('a link that leads to nothing yet stays a link, and the file is written where it leads', async () => {
  const directory = temporaryDirectory();
  for (const name of ['etc', 'run', 'run/vitald']) mkdirSync(join(directory, name));
  symlinkSync('../run/vitald', join(directory, 'etc/maps'));
  symlinkSync(join(directory, 'etc'), join(directory, 'conf'));
  symlinkSync('maps/web.map', join(directory, 'etc/direct.map'));
  const path = join(directory, 'conf/direct.map');
  const { file, written, reports, text } = setUp({ path });
  file.offer(web('a'));
  await written(1);
  expect([reports[0], lstatSync(path).isSymbolicLink()]).toEqual(['written: 1 published', true]);
  expect(readdirSync(join(directory, 'run/vitald'))).toEqual(['web.map']);
  expect(text()).toContain('a up');
  await file.stop();
});

test('a link that leads to itself is no place to write to', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'web.map');
  symlinkSync('web.map', path);
  const { file, written, reports } = setUp({ path });
  file.offer(web('a'));
  await written(1);
  expect(reports).toEqual([`not written: ${path} is a link that leads to itself`]);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  await file.stop();
});
