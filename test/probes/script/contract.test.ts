import { createServer } from 'node:http';
import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createPool } from '../../../probes/script/pool.ts';
import { scriptProbe } from '../../../probes/script/probe.ts';
import { attemptOf, runScript, scriptFile } from '../../support/script.ts';
import { closedPort, serve, tcpServer } from '../../support/servers.ts';
import { verdict } from '../../support/verdict.ts';

/** What a script may return, throw, take and import. */

test.each([
  [`return ok('lag 3 ms', { lag_ms: 3 })`, 'ok', 'lag 3 ms', { lag_ms: 3 }],
  [`return ok('lag 3 ms', { facts: { lag_ms: 3 } })`, 'ok', 'lag 3 ms', { lag_ms: 3 }],
  [`return { status: 'ok', message: 'by hand' }`, 'ok', 'by hand', undefined],
  [
    `return warn('slow', { role: 'replica', primary: false })`,
    'warn',
    'slow',
    { role: 'replica', primary: false },
  ],
  [
    `return fail('status', 'it says 503', { code: 503 })`,
    'fail status explicit',
    'it says 503',
    { code: 503 },
  ],
  [`return fail('timeout', 'silence')`, 'fail timeout silent', 'silence', undefined],
  [`return voided('no idea')`, 'void', 'no idea', undefined],
  [
    `return ok('x', { a: null, b: undefined, c: 12n, d: 2n ** 70n })`,
    'ok',
    'x',
    { c: 12, d: '1180591620717411303424' },
  ],
  [`return ok(target + ' ' + (timeoutMs > 0 && timeoutMs <= 20000))`, 'ok', 't true', undefined],
  [
    `const at = clock.now(); return ok(String(clock.now() >= at && clock.wallTime() > 1.6e12))`,
    'ok',
    'true',
    undefined,
  ],
])('%s', async (body, expected, message, facts) => {
  const attempt = await runScript(attemptOf(body));
  expect(verdict(attempt)).toBe(expected);
  expect(attempt.outcome.message).toBe(message);
  expect(attempt.outcome.facts).toEqual(facts);
  expect(attempt.troubles).toEqual([]);
});

test.each([
  ['', /probe\.mjs returned nothing instead of ok/],
  ['return 7', /returned 7 instead of ok/],
  [`return { status: 'fine', message: 'x' }`, /its status is not ok, warn, fail or void/],
  [`return fail('slow', 'x')`, /a reason that is not one of refused, reset/],
  ['return ok(7)', /a message that is 7/],
  [`return ok('x', { lag: { ms: 3 } })`, /a fact "lag" that is an object/],
  [`return ok('x', { lag: 0 / 0 })`, /a fact "lag" that is NaN/],
  [
    `return ok('x', Object.fromEntries(Array.from({ length: 101 }, (_, i) => ['f' + i, i])))`,
    /more than 100 facts/,
  ],
])('what is no outcome is void and says so: %s', async (body, message) => {
  const { outcome } = await runScript(attemptOf(body));
  expect(outcome).toMatchObject({ status: 'void', message: expect.stringMatching(message) });
});

test('long messages and facts are cut', async () => {
  const { outcome } = await runScript(attemptOf(`return ok('m'.repeat(1e7), { fact: 'f'.repeat(1e7) })`));
  expect(outcome.message).toBe(`${'m'.repeat(499)}…`);
  expect(outcome.facts).toEqual({ fact: `${'f'.repeat(499)}…` });
});

test('a connection that is refused is the target’s failure, also inside the error of fetch', async () => {
  const port = await closedPort();
  const bare = attemptOf(
    `
    const socket = net.connect(${port}, '127.0.0.1');
    await once(socket, 'connect');
  `,
    `import net from 'node:net'; import { once } from 'node:events';`,
  );
  expect(verdict(await runScript(bare))).toBe('fail refused explicit');
  const fetched = await runScript(attemptOf(`await fetch('http://127.0.0.1:${port}/')`));
  expect(verdict(fetched)).toBe('fail refused explicit');
  expect(fetched.outcome.message).toContain(`ECONNREFUSED 127.0.0.1:${port}`);
});

test('a reset, a lost connection, an unknown name and a timeout of the script’s own have their reasons', async () => {
  const resets = await tcpServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  expect(verdict(await runScript(attemptOf(`await fetch('http://127.0.0.1:${resets}/')`)))).toBe(
    'fail reset explicit',
  );
  const closes = await tcpServer((socket) => socket.once('data', () => socket.end()));
  expect(verdict(await runScript(attemptOf(`await fetch('http://127.0.0.1:${closes}/')`)))).toBe(
    'fail closed explicit',
  );
  const garbles = await tcpServer((socket) => socket.once('data', () => socket.end('SSH-2.0-x\r\n')));
  expect(verdict(await runScript(attemptOf(`await fetch('http://127.0.0.1:${garbles}/')`)))).toBe(
    'fail protocol explicit',
  );
  expect(verdict(await runScript(attemptOf(`await fetch('http://nowhere.invalid/')`)))).toBe('fail dns path');
  const silent = await tcpServer(() => {});
  const timesOut = attemptOf(
    `await fetch('http://127.0.0.1:${silent}/', { signal: AbortSignal.timeout(20) })`,
  );
  expect(verdict(await runScript(timesOut))).toBe('fail timeout silent');
});

test('a bug is void, and its stack names the place in the script', async () => {
  const file = attemptOf('return ok(settings.lag.ms)');
  const attempt = await runScript(file);
  expect(attempt.outcome).toMatchObject({
    status: 'void',
    message: expect.stringMatching(/probe\.mjs threw: TypeError: Cannot read properties of undefined/),
  });
  expect(attempt.troubles).toEqual([expect.stringContaining(`${file}:5`)]);
});

test.each([
  [`throw null`],
  [`throw 'text'`],
  [`throw { get message() { throw new Error('trap') } }`],
  [`throw new Error('x'.repeat(1e7), { cause: new Error('y') })`],
  [`const e = new Error('circle'); e.cause = e; throw e`],
  [`(await import('node:fs')).readFileSync('/nowhere')`],
])('whatever is thrown, it is void: %s', async (body) => {
  const attempt = await runScript(attemptOf(body));
  expect(attempt.outcome.status).toBe('void');
  expect(attempt.outcome.message.length).toBeLessThan(600);
});

test('settings: a function or a schema checks them; a refusal names the file and the key', async () => {
  const checks = scriptFile(`
    import { defineProbe, ok } from 'vitald';
    export default defineProbe({
      settings({ url }) {
        if (typeof url !== 'string') throw new Error('url: a text is needed');
        return { url: new URL(url) };
      },
      async attempt({ url }) { return ok(url.host) },
    });
  `);
  expect((await runScript(checks, { given: { url: 'http://a.b/c' } })).outcome.message).toBe('a.b');
  const refused = await runScript(checks);
  expect(refused.outcome).toEqual({
    status: 'void',
    message: `${checks} refuses its settings: url: a text is needed`,
  });
  const zod = new URL('../../../node_modules/zod/index.js', import.meta.url).href;
  const schema = scriptFile(`
    import { defineProbe, ok } from 'vitald';
    import { z } from '${zod}';
    export default defineProbe({
      settings: z.object({ db: z.object({ port: z.int().default(5432) }) }),
      async attempt({ db }) { return ok(String(db.port)) },
    });
  `);
  expect((await runScript(schema, { given: { db: {} } })).outcome.message).toBe('5432');
  const { outcome } = await runScript(schema, { given: { db: { port: 'x' } } });
  expect(outcome.message).toMatch(/probe\.mjs refuses its settings: with\.db\.port: Invalid input/);
});

test('settings cannot be changed by one attempt for the next', async () => {
  const file = attemptOf(`settings.list.push(1); return ok('x')`);
  expect((await runScript(file, { given: { list: [] } })).outcome.message).toMatch(/not extensible/);
});

test('imports beside the script and node: are found, what is not local is refused', async () => {
  const file = attemptOf(
    `return ok(lag + ' ' + typeof readFileSync)`,
    `
    import { lag } from './lag.mjs';
    import { readFileSync } from 'node:fs';
  `,
  );
  writeFileSync(join(dirname(file), 'lag.mjs'), 'export const lag = 3;');
  expect((await runScript(file)).outcome.message).toBe('3 function');
  const remote = await runScript(attemptOf(`await import('data:text/javascript,export default 1')`));
  expect(remote.outcome).toMatchObject({
    status: 'void',
    message: expect.stringContaining('only modules of the local file system'),
  });
});

test('a script that cannot be loaded is void and says where, and is loaded once it is mended', async () => {
  const file = scriptFile('export default {\n  attempt( { }\n}');
  const broken = await runScript(file);
  expect(broken.outcome).toMatchObject({ status: 'void', message: expect.stringContaining('SyntaxError') });
  expect(broken.troubles[0]).toContain(`${file}:3`);
  writeFileSync(file, `export default { attempt: () => ({ status: 'ok', message: 'mended' }) }`);
  expect((await runScript(file)).outcome.message).toBe('mended');
  writeFileSync(file, 'export default 7');
  expect((await runScript(file)).outcome.message).toContain('export default defineProbe(');
  const gone = await runScript(file, { onLoaded: () => unlinkSync(file) });
  expect(gone.outcome).toMatchObject({
    status: 'void',
    message: expect.stringContaining('cannot be read'),
  });
});

test('a changed file is loaded anew, with what it imports', async () => {
  const file = attemptOf('return ok(version)', `import { version } from './version.mjs';`);
  const version = join(dirname(file), 'version.mjs');
  writeFileSync(version, `export const version = 'one';`);
  expect((await runScript(file)).outcome.message).toBe('one');
  writeFileSync(version, `export const version = 'two';`);
  expect((await runScript(file)).outcome.message).toBe('one');
  const next = attemptOf('return ok(version + "!")', `import { version } from './version.mjs';`);
  renameSync(next, file);
  expect((await runScript(file)).outcome.message).toBe('two!');
});

test('the environment is PATH, HOME and LANG', async () => {
  process.env['VITALD_TEST_SECRET'] = 'x';
  const { outcome } = await runScript(attemptOf(`return ok(Object.keys(process.env).sort().join())`));
  delete process.env['VITALD_TEST_SECRET'];
  expect(['HOME', 'LANG', 'PATH']).toEqual(expect.arrayContaining(outcome.message.split(',')));
});

test('what it prints is shown where somebody looks, up to a bound, and nowhere else', async () => {
  const file = attemptOf(
    `console.log('lag', { ms: 3 }); console.error('hm'); console.log('x'.repeat(1e6)); return ok('x')`,
  );
  const quiet = await runScript(file);
  expect(quiet.seen).toEqual([]);
  const { seen } = await runScript(file, { traced: true });
  const texts = seen.map((entry) => (entry.kind === 'note' ? entry.text : ''));
  expect(texts.slice(0, 2)).toEqual(['printed: lag { ms: 3 }', 'printed: hm']);
  expect(texts.join('').length).toBeLessThan(17_000);
});

test('it talks to a real server', async () => {
  const port = await serve(createServer((_, response) => response.end('{"lag_ms":3}')));
  const file = attemptOf(`
    const answer = await fetch(settings.url, { signal });
    return ok('answered ' + answer.status, await answer.json());
  `);
  const { outcome, phases } = await runScript(file, { given: { url: `http://127.0.0.1:${port}/` } });
  expect(outcome).toEqual({ status: 'ok', message: 'answered 200', facts: { lag_ms: 3 } });
  expect(Object.keys(phases)).toEqual(['queue', 'wait']);
});

test('the longest outcome comes over, whatever it is made of', async () => {
  const attempt = await runScript(
    attemptOf(`
      const facts = Array.from({ length: 100 }, (_, i) => [i + '\\u0001'.repeat(90), '\\u0001'.repeat(500)]);
      return ok('x', Object.fromEntries(facts));
    `),
  );
  expect(attempt.outcome.status).toBe('ok');
});

test('what stands on the prototype of all objects is no outcome', async () => {
  const attempt = await runScript(
    attemptOf("Object.assign(Object.prototype, { status: 'ok', message: 'x' }); return {};"),
    { script: scriptProbe(createPool({ most: 1 })) },
  );
  expect(attempt.outcome.status).toBe('void');
});
