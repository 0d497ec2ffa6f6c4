import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, test } from 'vitest';
import { probes } from '../probes/index.ts';
import { VERSION } from '../src/core/version.ts';
import { hooks } from '../src/hooks/index.ts';

/** Conventions that a linter cannot express. */

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));
const sources = files.filter((file) => /^(src|probes)\/.*\.ts$/.test(file));

test('the version stands once', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(VERSION).toBe(version);
  expect(readFileSync('CHANGELOG.md', 'utf8')).toContain(version);
});

test('no source file is above 250 lines, half of them are below 100', () => {
  const lengths = sources.map((file) => ({ file, lines: readFileSync(file, 'utf8').split('\n').length - 1 }));
  expect(lengths.filter(({ lines }) => lines > 250)).toEqual([]);
  const sorted = lengths.map(({ lines }) => lines).toSorted((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(100);
});

test('file names say what is in them', () => {
  const vague = /^(utils?|helpers?|common|misc|types|managers?)\.(ts|mjs)$/;
  expect(files.filter((file) => vague.test(basename(file)))).toEqual([]);
});

test('no test sleeps for a fixed time or is singled out', () => {
  const tests = files.filter((file) => file.endsWith('.test.ts') && file !== 'test/repository.test.ts');
  const naps = /await (sleep|delay|setTimeout)\(|new Promise\([^=]*=> setTimeout\(\w+, \d|\.(only|todo)\(/;
  expect(tests.filter((file) => naps.test(readFileSync(file, 'utf8')))).toEqual([]);
});

test('every kind of probe has its page and stands in the README; every kind of hook is documented', () => {
  for (const kind of Object.keys(probes)) {
    expect(existsSync(`docs/probes/${kind}.md`), kind).toBe(true);
    expect(readFileSync('README.md', 'utf8')).toContain(`(docs/probes/${kind}.md)`);
  }
  const page = readFileSync('docs/hooks.md', 'utf8');
  for (const kind of Object.keys(hooks)) expect(page).toContain(`\`${kind}\``);
});
