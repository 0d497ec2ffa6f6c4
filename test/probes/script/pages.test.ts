import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { runScript, scriptFile } from '../../support/script.ts';
import { serve } from '../../support/servers.ts';

/** The scripts on the pages run as they stand there. */

function scriptOn(page: string): string {
  const [, source] = /```js\n(.*?)```/s.exec(readFileSync(page, 'utf8'))!;
  return scriptFile(source!);
}

async function ask(page: string, answer: unknown, given: object = {}) {
  const port = await serve(createServer((_, response) => response.end(JSON.stringify(answer))));
  const url = `http://127.0.0.1:${port}/`;
  return (await runScript(scriptOn(page), { given: { url, ...given } })).outcome;
}

test('docs/probes/script.md', async () => {
  const page = 'docs/probes/script.md';
  expect(await ask(page, { role: 'replica', lag_ms: 3 })).toEqual({
    status: 'ok',
    message: 'lag 3 ms',
    facts: { lag_ms: 3 },
  });
  expect(await ask(page, { role: 'replica', lag_ms: 3 }, { max_lag: 2 })).toMatchObject({ status: 'warn' });
  expect(await ask(page, { role: 'primary' })).toMatchObject({ status: 'fail', reason: 'mismatch' });
});

test('probes/README.md', async () => {
  const page = 'probes/README.md';
  expect(await ask(page, { waiting: 3 })).toMatchObject({ status: 'ok', facts: { waiting: 3 } });
  expect(await ask(page, { waiting: 3 }, { most: 2 })).toMatchObject({
    status: 'fail',
    message: '3 waiting',
  });
});
