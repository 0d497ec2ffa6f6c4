import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { probes } from '../../../probes/index.ts';
import { settings } from '../../../probes/script/settings.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { masked } from '../../../src/config/secrecy.ts';
import { hooks } from '../../../src/hooks/index.ts';
import { steps } from '../../../src/steps/index.ts';
import { runScript, scriptFile } from '../../support/script.ts';

/** What the YAML says of a script. */

const takesTypeScript = Boolean((process.features as { typescript?: unknown }).typescript);
const typed = `
  import { defineProbe, ok, type Outcome } from 'vitald';
  export default defineProbe({ attempt(): Outcome { const ms: number = 3; return ok(\`lag \${ms} ms\`); } });
`;

test('TypeScript is refused where Node does not run it', () => {
  const result = settings.safeParse(scriptFile(typed, 'lag.ts'));
  if (takesTypeScript) return expect(result.success).toBe(true);
  expect(result.error?.issues).toMatchObject([
    { path: ['file'], message: expect.stringMatching(/^this Node \(v20.*\) does not run TypeScript/) },
  ]);
});

test('TypeScript runs where Node runs it', async (context) => {
  context.skip(!takesTypeScript, 'this Node takes no TypeScript');
  for (const name of ['lag.ts', 'lag.mts']) {
    expect((await runScript(scriptFile(typed, name))).outcome).toEqual({ status: 'ok', message: 'lag 3 ms' });
  }
});

test('a .js file is a module where its package.json says so', async () => {
  const file = scriptFile(`export default { attempt: () => ({ status: 'ok', message: 'x' }) }`, 'probe.js');
  writeFileSync(join(dirname(file), 'package.json'), '{ "type": "module" }');
  expect((await runScript(file)).outcome.message).toBe('x');
});

test('numbers that JSON has no words for are refused, with their place', () => {
  const file = scriptFile('');
  const result = settings.safeParse({ file, with: { a: [1, { b: Infinity }] } });
  expect(result.error?.issues).toMatchObject([{ path: ['with', 'a', 1, 'b'] }]);
});

test('references below with are secrets, in the file’s name they are readable', () => {
  const file = scriptFile('');
  const yaml = join(dirname(file), 'targets.yaml');
  writeFileSync(
    yaml,
    `targets:
      - { name: a, script: { file: "\${DIR}/probe.mjs", with: { url: "http://u:\${PW}@h/", file: "\${PW2}" } } }
      - { name: b, script: "\${DIR}/probe.mjs" }`,
  );
  const env = { DIR: dirname(file), PW: 'hunter22', PW2: 'hunter33' };
  const config = loadConfig([yaml], { probes, hooks, steps, env });
  const shown = JSON.stringify(masked(config.merged, config.redact));
  expect(shown).not.toMatch(/hunter/);
  expect(shown).toContain(file);
  expect(config.targets.map(({ probe }) => probe.settings)).toEqual([
    { file, with: { url: 'http://u:hunter22@h/', file: 'hunter33' } },
    { file, with: {} },
  ]);
});
