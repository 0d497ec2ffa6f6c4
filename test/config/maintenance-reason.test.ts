import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { probes } from '../../probes/index.ts';
import { loadConfig } from '../../src/config/load.ts';

test('a secret in the reason of maintenance is masked, and nothing in it is obeyed by a terminal', () => {
  const dir = mkdtempSync(join(tmpdir(), 'vitald-reason-'));
  writeFileSync(join(dir, 'secret'), 'hunter2-file\n');
  const file = join(dir, 'targets.yaml');
  writeFileSync(
    file,
    `
targets: [{ name: a, tcp: "h:1" }]
maintenance: [{ all: true, cron: "0 3 * * *", for: 1h, reason: "\${file:./secret} \${KEY}\\e[31m\\nred" }]
`,
  );
  const env = { KEY: 'hunter2-env' };
  const { maintenance } = loadConfig([file], { probes, hooks: {}, steps: {}, env });
  expect(maintenance[0]!.reason).toBe('*** *** red');
});
