import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { yamlFile } from '../support/yaml-file.ts';

const DIST = new URL('../../dist/src/', import.meta.url);

/** A process that brings in a mail and a post once it has no descriptor left. */
function withoutDescriptors(prepares: boolean): string {
  const file = yamlFile(`
targets: [{ name: a, tcp: "127.0.0.1:1", notify: [mail], recover: mend }]
hooks:
  mail: { email: { server: "127.0.0.1:25", from: a@example.com, to: b@example.com } }
  mend: [{ webhook: { url: "http://127.0.0.1:1/" } }]
`);
  const program = `
    import { openSync } from 'node:fs';
    import { load, prepare } from '${new URL('cli/load.js', DIST).href}';
    import { hooks } from '${new URL('hooks/index.js', DIST).href}';
    const config = load([${JSON.stringify(file)}]);
    if (${prepares}) await prepare(config);
    try { for (;;) openSync('/dev/null'); } catch {}
    for (const kind of ['email', 'webhook'])
      console.log(await hooks[kind].load().then(() => kind, () => 'not there'));
  `;
  return execFileSync('sh', [
    '-c',
    'ulimit -n 512; exec "$@"',
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    program,
  ]).toString();
}

test('what hooks and steps take is there before all descriptors are gone', () => {
  expect(withoutDescriptors(true)).toBe('email\nwebhook\n');
  expect(withoutDescriptors(false)).toBe('not there\nnot there\n');
});
