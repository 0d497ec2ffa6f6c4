import { chmodSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';

import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  accessProblem,
  baseDir,
  filePath,
  readableFile,
  relativeTo,
  resolvePath,
} from '../../src/schema/file.ts';

const dir = mkdtempSync(join(tmpdir(), 'vitald-'));
const file = join(dir, 'file');
writeFileSync(file, 'x');
mkdirSync(join(dir, 'folder'));
afterAll(() => rmSync(dir, { recursive: true }));

describe('the base of relative paths', () => {
  test('is the working directory', () => {
    expect(baseDir()).toBe(process.cwd());
    expect(resolvePath('a')).toBe(resolve('a'));
  });

  test('is what the loader sets, for the time of the parse', () => {
    expect(
      relativeTo('/etc/x', () => [resolvePath('a'), resolvePath('../b'), resolvePath('/c'), baseDir()]),
    ).toEqual(['/etc/x/a', '/etc/b', '/c', '/etc/x']);
    expect(resolvePath('a')).toBe(resolve('a'));
  });

  test('comes back after a parse inside a parse, and after one that threw', () => {
    relativeTo('/one', () => {
      expect(relativeTo('/two', () => resolvePath('a'))).toBe('/two/a');
      expect(() =>
        relativeTo('/three', () => {
          throw new Error('no');
        }),
      ).toThrow('no');
      expect(resolvePath('a')).toBe('/one/a');
    });
  });
});

test('a path comes out absolute, and need not exist', () => {
  expect(relativeTo(dir, () => filePath().parse('none'))).toBe(join(dir, 'none'));
  expect(filePath().safeParse('').error?.issues[0]?.message).toBe('a path must not be empty');
});

test('a readable file', () => {
  expect(relativeTo(dir, () => readableFile().parse('./file'))).toBe(file);
  expect(relativeTo(dir, () => readableFile().safeParse('./none')).error?.issues[0]?.message).toBe(
    `${join(dir, 'none')} does not exist`,
  );
});

const everything = process.getuid?.() === 0;
// oxlint-disable-next-line no-console
if (everything) console.warn('file.test.ts skips a test: root may read every file');

describe('why a file cannot be used', () => {
  test.each([
    ['file', constants.R_OK, undefined],
    ['file', constants.X_OK, 'is not executable'],
    ['none', constants.R_OK, 'does not exist'],
    ['file/below', constants.R_OK, 'does not exist'],
    ['folder', constants.R_OK, 'is not a file'],
  ])('%s for %i: %s', (name, mode, problem) => {
    const path = join(dir, name);
    expect(accessProblem(path, mode)).toBe(problem && `${path} ${problem}`);
  });

  test('executable once it is', () => {
    const path = join(dir, 'program');
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o755);
    expect(accessProblem(path, constants.X_OK)).toBeUndefined();
  });

  test.skipIf(everything)('not for us', () => {
    const path = join(dir, 'secret');
    writeFileSync(path, 'x', { mode: 0 });
    expect(accessProblem(path, constants.R_OK)).toBe(`${path} cannot be read`);
  });
});
