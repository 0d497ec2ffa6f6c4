import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ownToken, readToken, tokenFile } from '../../src/cli/api-token.ts';
import { runCli, startAgent } from '../support/cli.ts';
import { freePort } from '../support/real-server.ts';
import { closedPort, serve } from '../support/servers.ts';
import { yamlFile } from '../support/yaml-file.ts';

const TOKEN = 'correct-horse-battery';
const PAUSE = ['pause', 'a', '--for', '30m', '--reason', 'x'];

/** Who listens where an agent should; everything that it is sent. */
async function impostor(answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void) {
  const heard: string[] = [];
  const port = await serve(
    createServer((incoming, outgoing) => {
      heard.push(`${incoming.method} ${incoming.url} ${JSON.stringify(incoming.headers)}`);
      answer(incoming, outgoing);
    }),
  );
  return { at: `127.0.0.1:${port}`, heard };
}

async function agentAt(token = TOKEN): Promise<number> {
  const port = await freePort();
  const file = yamlFile(
    `{ api: { listen: "127.0.0.1:${port}", token: ${token} }, targets: [{ name: a, tcp: "127.0.0.1:${await closedPort()}" }] }`,
  );
  const agent = startAgent(['run', file, '--log', 'json']);
  await agent.waitFor(({ msg }) => msg === 'started');
  return port;
}

function refusal(at: string): string {
  return `vitald: what answers at ${at} does not show that it has the token, so it is not told it: `;
}

describe('the token goes to nobody but the agent', () => {
  test.each([
    ['says that a token is needed', 401, '{"error":"the token"}'],
    ['says that all is well', 200, '{"at":"2026-01-01T00:00:00Z","proof":"x"}'],
    ['is no agent', 404, '<html>'],
  ])('not to one who %s', async (_what, status, body) => {
    const { at, heard } = await impostor((_incoming, outgoing) => outgoing.writeHead(status).end(body));
    const env = { VITALD_TOKEN: TOKEN };
    const paused = await runCli([...PAUSE, '--api', at], { env });
    expect(paused).toMatchObject({ code: 2, stdout: '' });
    expect(paused.stderr.startsWith(refusal(at))).toBe(true);
    await runCli(['status', '--api', at], { env });
    expect(heard.length).toBeGreaterThanOrEqual(2);
    expect(heard.join('\n')).not.toMatch(/authorization|correct-horse/i);
  });

  test('not to one who asks the agent what to answer', async () => {
    const port = await agentAt();
    const { at, heard } = await impostor((incoming, outgoing) => {
      incoming.pipe(
        request(
          { port, method: incoming.method, path: incoming.url, headers: incoming.headers },
          (answer) => {
            outgoing.writeHead(answer.statusCode ?? 500);
            answer.pipe(outgoing);
          },
        ),
      );
    });
    const env = { VITALD_TOKEN: TOKEN };
    const { stderr } = await runCli([...PAUSE, '--api', at], { env });
    expect(stderr.startsWith(refusal(at))).toBe(true);
    expect(heard.join('\n')).not.toMatch(/authorization|correct-horse/i);
    expect((await runCli([...PAUSE, '--api', `127.0.0.1:${port}`], { env })).stdout).toMatch(/^a is paused/);
    expect((await runCli([...PAUSE, '--api', `localhost:${port}`], { env })).stdout).toMatch(/^a is paused/);
  });

  test('nor to an agent with another token', async () => {
    const port = await agentAt();
    const other = await runCli([...PAUSE, '--api', `127.0.0.1:${port}`], {
      env: { VITALD_TOKEN: `${TOKEN}-of-another` },
    });
    expect(other.stderr.startsWith(refusal(`127.0.0.1:${port}`))).toBe(true);
  });

  test('a nonce is asked for, of some length', async () => {
    const port = await agentAt();
    for (const query of ['', '?nonce=short', `?nonce=${'x'.repeat(65)}`, '?nonce=a%0Ab0123456789abcdef']) {
      expect((await fetch(`http://127.0.0.1:${port}/api/v1/challenge${query}`)).status).toBe(400);
    }
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/challenge?nonce=0123456789abcdef`);
    expect(await answer.json()).toEqual({ proof: expect.stringMatching(/^[\w-]{43}$/) as string });
  });
});

describe('the file of the token', () => {
  function state(): string {
    return join(mkdtempSync(join(tmpdir(), 'vitald-')), 'vitald.db');
  }

  test.each([
    ['others may read it', (file: string) => chmodSync(file, 0o644), 'others may use it (mode 644, not 600)'],
    ['it is short', (file: string) => writeFileSync(file, 'secret\n'), 'a token has at least 16 characters'],
    ['it is empty', (file: string) => writeFileSync(file, ''), 'a token has at least 16 characters'],
  ])('where %s it is not used, and the agent makes another', (_what, spoil, why) => {
    const at = state();
    writeFileSync(tokenFile(at), `${TOKEN}\n`, { mode: 0o600 });
    expect(readToken(at)).toEqual({ token: TOKEN });
    spoil(tokenFile(at));
    expect(readToken(at)).toEqual({ unfit: expect.stringContaining(why) as string });
    const reasons: string[] = [];
    const token = ownToken(at, (reason) => void reasons.push(reason));
    expect(token).toMatch(/^[\w-]{32}$/);
    expect(reasons).toEqual([expect.stringContaining(why)]);
    expect(lstatSync(tokenFile(at)).mode & 0o777).toBe(0o600);
    expect(readFileSync(tokenFile(at), 'utf8')).toBe(`${token}\n`);
    expect(readdirSync(join(at, '..'))).toEqual(['vitald.db.token']);
    expect(ownToken(at, (reason) => void reasons.push(reason))).toBe(token);
    expect(reasons).toHaveLength(1);
  });

  test('a link in its place is replaced, and what it leads to is left alone', () => {
    const at = state();
    const theirs = `${at}.theirs`;
    writeFileSync(theirs, `${TOKEN}\n`, { mode: 0o600 });
    symlinkSync(theirs, tokenFile(at));
    expect(readToken(at)).toEqual({ unfit: 'it is a link' });
    const reasons: string[] = [];
    const token = ownToken(at, (reason) => void reasons.push(reason));
    expect(reasons).toEqual(['it is a link']);
    expect(readToken(at)).toEqual({ token });
    expect(readFileSync(theirs, 'utf8')).toBe(`${TOKEN}\n`);
  });

  test('a command says that it is not used, and what to do', async () => {
    const home = mkdtempSync(join(tmpdir(), 'vitald-'));
    const file = yamlFile(
      `{ api: { listen: "127.0.0.1:${await freePort()}" }, targets: [{ name: a, tcp: "127.0.0.1:${await closedPort()}" }] }`,
    );
    const env = { XDG_STATE_HOME: home };
    const kept = join(home, 'vitald', 'vitald.db.token');
    mkdirSync(join(home, 'vitald'));
    writeFileSync(kept, 'secret', { mode: 0o600 });
    const agent = startAgent(['run', file, '--log', 'json'], { env });
    await agent.waitFor(({ msg }) => msg === 'started');
    expect(
      agent.records.find(({ msg }) => msg === 'the token of the API was unfit, there is a new one'),
    ).toMatchObject({ detail: expect.stringContaining('at least 16 characters') as string });
    chmodSync(kept, 0o666);
    expect(await runCli([...PAUSE, file], { env })).toEqual({
      code: 2,
      stdout: '',
      stderr: `vitald: ${kept} is not used: others may use it (mode 666, not 600); the agent makes another one when it starts\n`,
    });
  });
});

test('a file beside --api, or beside $VITALD_API, has the token, too', async () => {
  const port = await agentAt();
  const at = `127.0.0.1:${port}`;
  const file = yamlFile(`{ api: { token: ${TOKEN} }, targets: [{ name: a, tcp: "127.0.0.1:1" }] }`);
  expect(await runCli(['recovery', 'off', '--reason', 'x', file], { env: { VITALD_API: at } })).toMatchObject(
    {
      code: 0,
      stderr: '',
    },
  );
  expect((await runCli(['recovery', 'on', file, '--api', at])).code).toBe(0);
});
