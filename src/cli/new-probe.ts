/** The files that `vitald new probe` writes. */

const HOOKS = new URL('../../probes/script/worker/hooks.js', import.meta.url).href;

export function scriptSource(name: string): string {
  return `// ${name}: a probe for vitald.
//
// It asks, and answers with one outcome. It sets no timeout, measures nothing and does not retry: vitald does.
// It runs in a thread of its own kind, where a mistake costs one attempt and never vitald.

import { defineProbe, fail, ok, warn } from 'vitald';

export default defineProbe({
  // Takes what stands under \`with:\` in the YAML; every attempt is handed what comes out. Throw where something is
  // wrong. A schema of zod, valibot or arktype may stand here instead of the function.
  settings({ url = 'http://127.0.0.1:8080/healthz', slow_ms = 500, ...others }) {
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw new Error(\`\${unknown}: there is no such setting\`);
    if (!URL.canParse(url)) throw new Error('url: this is no URL');
    if (!(slow_ms > 0)) throw new Error('slow_ms: a number of milliseconds is needed');
    return { url, slowMs: slow_ms };
  },

  // One attempt. \`signal\` aborts at the timeout: hand it to whatever waits.
  async attempt({ url, slowMs }, { signal, clock }) {
    const startedAt = clock.now();
    // A connection that is refused or lost need not be caught: it counts against the target, with its reason.
    const response = await fetch(url, { signal });
    await response.text();
    // Facts are texts, numbers, true or false.
    const facts = { status: response.status, ms: Math.round(clock.now() - startedAt) };

    if (!response.ok) return fail('status', \`it answers \${response.status}\`, facts);
    if (facts.ms > slowMs) return warn(\`slow: \${facts.ms} ms\`, facts);
    return ok(\`answered in \${facts.ms} ms\`, facts);
  },
});
`;
}

export function testSource(name: string): string {
  return `// node --test ${name}.test.mjs

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { afterEach, test } from 'node:test';

// Where vitald is not among the installed packages, the one that wrote this file is used.
try {
  import.meta.resolve('vitald');
} catch {
  const { hookIn } = await import(${JSON.stringify(HOOKS)});
  hookIn();
}
const { default: probe } = await import('./${name}.mjs');

let server;
afterEach(() => server?.close());

/** What the probe says of a server that answers so. */
async function ask(answer, given = {}) {
  server = createServer((_, response) => answer(response.setHeader('connection', 'close')));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = \`http://127.0.0.1:\${server.address().port}/\`;
  return await probe.attempt(await probe.settings({ url, ...given }), {
    target: '${name}',
    signal: AbortSignal.timeout(5_000),
    timeoutMs: 5_000,
    clock: { now: () => performance.now(), wallTime: () => Date.now() },
  });
}

test('a good answer is ok', async () => {
  const outcome = await ask((response) => response.end('fine'), { slow_ms: 5_000 });
  assert.equal(outcome.status, 'ok');
  assert.equal(outcome.facts.status, 200);
});

test('a slow answer is a warning', async () => {
  const outcome = await ask((response) => response.end('fine'), { slow_ms: 0.001 });
  assert.equal(outcome.status, 'warn');
});

test('another status is a failure', async () => {
  const outcome = await ask((response) => response.writeHead(503).end());
  assert.deepEqual([outcome.status, outcome.reason], ['fail', 'status']);
});

test('settings that are wrong are refused', () => {
  assert.throws(() => probe.settings({ url: 'nonsense' }), /url/);
  assert.throws(() => probe.settings({ ulr: 'http://127.0.0.1/' }), /ulr/);
});
`;
}
