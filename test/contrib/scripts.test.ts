import { spawnSync } from 'node:child_process';
import { constants, accessSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { probes } from '../../probes/index.ts';
import { loadConfig } from '../../src/config/load.ts';
import { hooks } from '../../src/hooks/index.ts';
import { steps } from '../../src/steps/index.ts';
import { findPrograms } from '../support/programs.ts';
import { temporaryDirectory } from '../support/real-server.ts';

const FOLDER = 'probes/contrib';
const scripts = readdirSync(FOLDER).filter((name) => name !== 'README.md');
const readme = readFileSync(join(FOLDER, 'README.md'), 'utf8');

/** The comment at the top, without its marks. */
function header(name: string): string[] {
  const lines = readFileSync(join(FOLDER, name), 'utf8').split('\n');
  const mark = name.endsWith('.mjs') ? /^(?:\/\/) ?/ : /^# ?/;
  const start = lines[0]!.startsWith('#!') ? 1 : 0;
  const end = lines.findIndex((line, index) => index >= start && !mark.test(line));
  return lines.slice(start, end).map((line) => line.replace(mark, ''));
}

describe.each(scripts)('%s', (name) => {
  test('says what it asks, what is ok, warn, fail and void, and what it needs', () => {
    const text = header(name).join('\n');
    expect(text.split('\n')[0]).toMatch(new RegExp(`^${name.replaceAll('.', String.raw`\.`)}: .+\\?$`));
    for (const word of ['ok', 'warn', 'fail', 'void'])
      expect(text).toMatch(new RegExp(`^  ${word} +\\S`, 'm'));
    expect(text).toContain('Settings');
    expect(text).toContain('Needs: ');
  });

  test('has an example that loads as it stands', () => {
    const lines = header(name);
    const example = lines.slice(lines.indexOf('  targets:')).map((line) => line.slice(2));
    const directory = temporaryDirectory();
    symlinkSync(resolve('probes'), join(directory, 'probes'));
    writeFileSync(join(directory, 'targets.yaml'), example.join('\n'));
    const env = Object.fromEntries(
      [...example.join('\n').matchAll(/\$\{(\w+)\}/g)].map(([, key]) => [key!, 'x']),
    );
    const { targets } = loadConfig([join(directory, 'targets.yaml')], { probes, hooks, steps, env });
    expect(targets.length).toBeGreaterThan(0);
  });

  test('stands in the README, and may be executed where it is a program', () => {
    expect(readme).toContain(`| [${name}](${name}) |`);
    if (!name.endsWith('.mjs')) accessSync(join(FOLDER, name), constants.X_OK);
  });
});

const shellcheck = findPrograms([{ program: 'shellcheck', from: 'shellcheck' }]);

test.skipIf(!shellcheck)('the shell scripts are clean', () => {
  const files = scripts.filter((name) => name.endsWith('.sh')).map((name) => join(FOLDER, name));
  const { status, stdout } = spawnSync(shellcheck![0], files, { encoding: 'utf8' });
  expect([status, stdout]).toEqual([0, '']);
});

const python = findPrograms([{ program: 'python3', from: 'python3' }]);

test.skipIf(!python)('the Python scripts keep to the grammar of 3.9', () => {
  const files = scripts.filter((name) => name.endsWith('.py')).map((name) => join(FOLDER, name));
  const parse =
    'import ast, sys\nfor name in sys.argv[1:]: ast.parse(open(name).read(), name, feature_version=(3, 9))';
  const { status, stderr } = spawnSync(python![0], ['-c', parse, ...files], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
