import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A YAML file in a directory of its own; its path. */
export function yamlFile(text: string, name = 'targets.yaml'): string {
  const file = join(mkdtempSync(join(tmpdir(), 'vitald-test-')), name);
  writeFileSync(file, text);
  return file;
}
