import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { serve } from '../support/servers.ts';

function emptyDir(): string {
  return mkdtempSync(join(tmpdir(), 'vitald-new-'));
}

test('new probe writes a script that runs as it is, a test that passes, and says what next', async () => {
  const cwd = emptyDir();
  const { code, stdout } = await runCli(['new', 'probe', 'orders', '--dir', 'my probes'], { cwd });
  expect(code).toBe(0);
  expect(readdirSync(join(cwd, 'my probes'))).toEqual(['orders.mjs', 'orders.test.mjs']);
  expect(stdout).toContain("node --test 'my probes/orders.test.mjs'");
  expect(stdout).toContain("vitald probe --script 'my probes/orders.mjs'");
  // Throws where a test fails.
  const { FORCE_COLOR: _, NODE_OPTIONS: __, ...env } = process.env;
  execFileSync(process.execPath, ['--test', join('my probes', 'orders.test.mjs')], { cwd, env });

  const port = await serve(createServer((_, response) => response.end('fine')));
  const pasted = stdout.slice(stdout.indexOf('  - name:')).replace('127.0.0.1:8080', `127.0.0.1:${port}`);
  writeFileSync(join(cwd, 'targets.yaml'), `defaults: { timeout: 5s }\ntargets:\n${pasted}`);
  const once = await runCli(['once', 'targets.yaml', '--json'], { cwd });
  expect(JSON.parse(once.stdout)).toMatchObject({ target: 'orders', status: 'ok', facts: { status: 200 } });
});

test('new probe overwrites nothing', async () => {
  const cwd = emptyDir();
  writeFileSync(join(cwd, 'orders.test.mjs'), 'mine');
  const { code, stderr } = await runCli(['new', 'probe', 'orders'], { cwd });
  expect(code).toBe(2);
  expect(stderr).toContain('orders.test.mjs is there already');
  expect(readdirSync(cwd)).toEqual(['orders.test.mjs']);
  expect(readFileSync(join(cwd, 'orders.test.mjs'), 'utf8')).toBe('mine');
});

test.each([
  [['new'], 'new what?'],
  [['new', 'hook', 'x'], 'there is no new "hook"'],
  [['new', 'probe'], 'needs a name'],
  [['new', 'probe', 'a', 'b'], 'one only'],
  [['new', 'probe', '../x'], '"../x" is no name'],
  [['new', 'probe', 'x.mjs'], '"x.mjs" is no name'],
  [['new', 'probe', 'x', '--dir', '/dev/null/x'], 'ENOTDIR'],
])('%j is wrong usage', async (args, complaint) => {
  const { code, stderr } = await runCli(args, { cwd: emptyDir() });
  expect(code).toBe(2);
  expect(stderr).toContain(complaint);
});
