import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type LogRecord, runCli, startAgent } from '../support/cli.ts';
import { freePort } from '../support/real-server.ts';
import { closedPort, serve } from '../support/servers.ts';
import { yamlFile } from '../support/yaml-file.ts';

const FAST = '{ interval: 500ms, timeout: 400ms, retry_interval: 50ms, failure_threshold: 2 }';
const TOKEN = 'correct-horse-battery';

function is(msg: string, fields: Readonly<Record<string, unknown>> = {}): (record: LogRecord) => boolean {
  return (record) =>
    record.msg === msg && Object.entries(fields).every(([key, value]) => record[key] === value);
}

function directory(): string {
  return mkdtempSync(join(tmpdir(), 'vitald-'));
}

/** An agent of which one target is up and one is down. */
async function watching(api: string, state = directory()) {
  const [up, down] = [await serve(createServer()), await closedPort()];
  const file = yamlFile(
    `{ api: ${api}, confirm: 0s, defaults: ${FAST}, targets: [{ name: good one, tcp: "127.0.0.1:${up}" }, { name: bad, tcp: "127.0.0.1:${down}", group: g }] }`,
  );
  const agent = startAgent(['run', file, '--log', 'json'], { env: { XDG_STATE_HOME: state } });
  await agent.waitFor(is('transition', { to: 'up' }));
  await agent.waitFor(is('transition', { to: 'down' }));
  return { agent, file, down, state };
}

describe('status', () => {
  test('a table, JSON, and exit 1 while something is down; found by --api, VITALD_API and the file', async () => {
    const port = await freePort();
    const { agent, file, down } = await watching(`{ listen: "127.0.0.1:${port}" }`);
    expect(agent.records.find(is('listening'))).toMatchObject({
      address: `127.0.0.1:${port}`,
      serves: 'api',
    });
    const { code, stdout } = await runCli(['status', file]);
    expect(code).toBe(1);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^TARGET +STATE +SINCE +ASKED +SAID$/);
    expect(lines[1]).toMatch(/^good one +up(?:, stale)? +[\d.]+m?s +[\d.]+m?s +connected$/);
    expect(lines[2]).toMatch(
      new RegExp(
        `^bad +down(?:, stale)? +[\\d.]+m?s +[\\d.]+m?s +refused: connect ECONNREFUSED 127.0.0.1:${down}$`,
      ),
    );
    expect(lines[4]).toMatch(/^GROUP +STATE +SINCE +AVAILABLE$/);
    expect(lines[5]).toMatch(/^g +down +[\d.]+m?s +0 of 1, all needed; not bad$/);
    expect(lines[7]).toMatch(/^2 targets: 1 down, 1 up; vitald [\d.]+ runs for [\d.]+m?s$/);

    const json = await runCli(['status', '--api', `http://127.0.0.1:${port}/`, '--json']);
    const answer = JSON.parse(json.stdout) as { targets: unknown[]; groups: unknown[] };
    expect(answer.groups).toEqual([
      expect.objectContaining({ group: 'g', state: 'down', unavailable: ['bad'] }),
    ]);
    expect(answer).toMatchObject({ doubt: { score: expect.any(Number) as number, doubtful: false } });
    expect(answer.targets).toEqual([
      expect.objectContaining({
        target: 'good one',
        state: 'up',
        flags: expect.any(Array) as string[],
        incident: null,
      }),
      {
        target: 'bad',
        group: 'g',
        probe: 'tcp',
        state: 'down',
        flags: expect.any(Array) as string[],
        since: expect.stringMatching(/Z$/) as string,
        incident: expect.stringMatching(/^bad-/) as string,
        attempts: expect.any(Number) as number,
        missed: expect.any(Number) as number,
        last: {
          attempt: expect.any(Number) as number,
          at: expect.stringMatching(/Z$/) as string,
          status: 'fail',
          reason: 'refused',
          class: 'explicit',
          message: `connect ECONNREFUSED 127.0.0.1:${down}`,
          latency_ms: expect.any(Number) as number,
        },
      },
    ]);
    const byEnvironment = await runCli(['status'], { env: { VITALD_API: `127.0.0.1:${port}` } });
    expect(byEnvironment.stdout).toMatch(/^TARGET/);
    for (const path of ['livez', 'readyz']) {
      expect((await fetch(`http://127.0.0.1:${port}/${path}`)).status).toBe(200);
    }
  });

  test('over a unix socket, relative to the file; the token is in the state directory, for its owner alone', async () => {
    const { file, state, agent } = await watching('{ listen: "unix:api.sock" }');
    const path = join(file, '..', 'api.sock');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(state, 'vitald')).mode & 0o777).toBe(0o700);
    const kept = join(state, 'vitald', 'vitald.db.token');
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    expect(readFileSync(kept, 'utf8')).toMatch(/^[\w-]{32}\n$/);
    expect((await runCli(['status', file])).stdout).toMatch(/^TARGET/);
    expect((await runCli(['status', '--api', `unix:${path}`])).stdout).toMatch(/^TARGET/);
    expect(JSON.stringify(agent.records)).not.toContain(readFileSync(kept, 'utf8').trim());
  });

  test('where others can reach it, reading needs the token', async () => {
    const port = await freePort();
    const { file } = await watching(`{ listen: "0.0.0.0:${port}", token: ${TOKEN} }`);
    expect((await runCli(['status', file])).stdout).toMatch(/^TARGET/);
    const api = `127.0.0.1:${port}`;
    const env = { XDG_STATE_HOME: directory() };
    expect(await runCli(['status', '--api', api], { env })).toEqual({
      code: 2,
      stdout: '',
      stderr: `vitald: the agent at ${api} refuses: this address needs the token; it is in $VITALD_TOKEN, in the FILE that the agent runs with, or beside its state, which its own user can read\n`,
    });
    const guess = await runCli(['status', '--api', api], { env: { ...env, VITALD_TOKEN: 'guess' } });
    expect(guess.stderr).toMatch(
      /^vitald: what answers at \S+ does not show that it has the token, so it is/,
    );
    const known = await runCli(['status', '--api', api], { env: { ...env, VITALD_TOKEN: TOKEN } });
    expect(known.stdout).toMatch(/^TARGET/);
  });
});

describe('explain', () => {
  test('why it is down, and what would bring it up, from the running agent', async () => {
    const port = await freePort();
    const { file, down } = await watching(`{ listen: "127.0.0.1:${port}" }`);
    const { code, stdout } = await runCli(['explain', 'bad', file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^bad {2}down {2}tcp/);
    expect(stdout).toMatch(/^bad is down since [\d:]+ \([\d.]+m?s\), incident bad-\w+; that was told\.$/m);
    expect(stdout).toMatch(/^Up again after 2 more good answers in a row,/m);
    expect(stdout).toMatch(
      new RegExp(`^ {2}[\\d:]+ {2}✗ down +refused: connect ECONNREFUSED 127.0.0.1:${down}$`, 'm'),
    );
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);

    const json = await runCli(['explain', 'good one', file, '--json']);
    const answer = JSON.parse(json.stdout) as Record<string, unknown>;
    expect(Object.keys(answer)).toEqual([
      'at',
      'target',
      'group',
      'probe',
      'state',
      'since_ago_ms',
      'incident',
      'told',
      'rule',
      'contract',
      'evidence',
      'recent',
      'successes',
      'degraded',
      'flaps',
      'doubt',
      'gates',
      'next',
      'outlook',
      'recovery',
      'history',
    ]);
    expect(answer).toMatchObject({ target: 'good one', state: 'up', evidence: [] });
  });

  test('a target that there is not', async () => {
    const port = await freePort();
    const { file } = await watching(`{ listen: "127.0.0.1:${port}" }`);
    expect(await runCli(['explain', 'bat', file])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'vitald: there is no target "bat"; did you mean "bad"?\n',
    });
    expect((await runCli(['explain', 'g', file])).stderr).toBe(
      'vitald: there is no target "g", but a group: vitald status shows it, and pause and resume take it as --group g\n',
    );
    expect((await runCli(['explain', '-web', file])).stderr).toMatch(
      /^vitald: Unknown option '-w'; a NAME that begins with "-" comes last, behind "--"\nusage: /,
    );
    for (const name of ['..', 'a/b', '%', 'x'.repeat(200)]) {
      const { stderr } = await runCli(['explain', name, file]);
      expect(stderr).toBe(`vitald: there is no target "${name}"\n`);
    }
    expect((await runCli(['explain'])).stderr).toMatch(/^vitald: name a target\nusage: vitald explain NAME/);
  });
});

describe('nobody there to be asked', () => {
  test('no agent, or somebody else', async () => {
    const port = await closedPort();
    expect(await runCli(['status', '--api', `127.0.0.1:${port}`])).toEqual({
      code: 2,
      stdout: '',
      stderr: `vitald: no agent could be asked at 127.0.0.1:${port}: nobody listens there\n`,
    });
    for (const answer of ['<html>', '[]', '"at"', '{"targets":1}']) {
      const other = await serve(createHttpServer((_request, response) => response.end(answer)));
      expect((await runCli(['status', '--api', `127.0.0.1:${other}`])).stderr).toBe(
        `vitald: what answers at 127.0.0.1:${other} is no agent of ours\n`,
      );
    }
    for (const answer of ['{"at":"2026-01-01T00:00:00Z"}', '{"at":1,"targets":[null],"groups":[5]}']) {
      const other = await serve(createHttpServer((_request, response) => response.end(answer)));
      expect((await runCli(['status', '--api', `127.0.0.1:${other}`])).stderr).toBe(
        `vitald: what answers at 127.0.0.1:${other} is no agent of ours, or one of another version\n`,
      );
    }
  });

  test('a place that is none, and files that say that there is none', async () => {
    expect((await runCli(['status', '--api', 'localhost'])).stderr).toMatch(
      /^vitald: "localhost" is no URL, no host:port and no unix:PATH\nusage: /,
    );
    const file = yamlFile('{ api: { listen: off }, targets: [{ name: a, tcp: "h:1" }] }');
    expect((await runCli(['status', file])).stderr).toMatch(/^vitald: api.listen is off in these files/);
  });
});

describe('run', () => {
  test('the address is taken: exit 2 where it was written down, as a socket, too', async () => {
    const port = await serve(createServer());
    const file = yamlFile(
      `{ api: { listen: "127.0.0.1:${port}" }, targets: [{ name: a, tcp: "127.0.0.1:${port}" }] }`,
    );
    expect(await runCli(['run', file])).toEqual({
      code: 2,
      stdout: '',
      stderr: `vitald: cannot listen on 127.0.0.1:${port}: the port is in use\n`,
    });
    writeFileSync(
      file,
      `{ api: { listen: "unix:${file}" }, targets: [{ name: a, tcp: "127.0.0.1:${port}" }] }`,
    );
    expect((await runCli(['run', file])).stderr).toBe(
      `vitald: cannot listen on unix:${file}: there is a file that is no socket\n`,
    );
  });

  test('a token that cannot be kept is told, and the agent can still be asked', async () => {
    const port = await freePort();
    const state = join(directory(), 'file');
    writeFileSync(state, '');
    const { agent } = await watching(`{ listen: "127.0.0.1:${port}" }`, state);
    expect(
      agent.records.find(is('the token of the API cannot be kept, api.token gives it one')),
    ).toBeDefined();
    const { stdout } = await runCli(['status', '--api', `127.0.0.1:${port}`]);
    expect(stdout).toMatch(/^TARGET/);
    // The state is kept there, too.
    expect(stdout).toMatch(/^Nothing is kept for [\d.]+\w+: /m);
  });

  test('a reload moves it, and can end it', async () => {
    const [port, next] = [await freePort(), await freePort()];
    const { agent, file } = await watching(`{ listen: "127.0.0.1:${port}" }`);
    const text = readFileSync(file, 'utf8');
    let last: LogRecord | undefined;
    async function reload(changed: string, msg = 'reloaded'): Promise<void> {
      writeFileSync(file, changed);
      last = await agent.waitFor(is(msg), last ? { after: last } : {});
    }
    await reload(text.replace(String(port), String(next)));
    await expect(fetch(`http://127.0.0.1:${port}/livez`)).rejects.toThrow();
    expect((await fetch(`http://127.0.0.1:${next}/livez`)).status).toBe(200);
    const taken = await serve(createServer());
    await reload(
      text.replace(String(port), String(taken)),
      'reload refused, the running configuration goes on',
    );
    expect((await fetch(`http://127.0.0.1:${next}/livez`)).status).toBe(200);
    await reload(text.replace(`"127.0.0.1:${port}"`, 'off'));
    await expect(fetch(`http://127.0.0.1:${next}/livez`)).rejects.toThrow();
    agent.signal('SIGTERM');
    expect(await agent.exited).toEqual({ code: 0, signal: null });
    expect(agent.records.filter(is('trouble'))).toEqual([]);
  });

  test('beats and questions at one address, and a second agent at the usual one', async () => {
    const port = await freePort();
    const file = yamlFile(
      `{ listen: "127.0.0.1:${port}", api: { listen: "127.0.0.1:${port}" }, targets: [{ name: node, heartbeat: { every: 1s, token: ${TOKEN} } }] }`,
    );
    const agent = startAgent(['run', file, '--log', 'json']);
    await agent.waitFor(is('listening', { address: `127.0.0.1:${port}`, serves: 'beats and api' }));
    await agent.waitFor(is('started'));
    const beat = await fetch(`http://127.0.0.1:${port}/heartbeat/node`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(beat.status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/targets`)).status).toBe(200);
    // Of the agents that write no address down one has the usual one, and the others go on without.
    const plain = yamlFile(`{ targets: [{ name: a, tcp: "127.0.0.1:${port}" }] }`);
    const both = [startAgent(['run', plain, '--log', 'json']), startAgent(['run', plain, '--log', 'json'])];
    await Promise.all(both.map((one) => one.waitFor(is('started'))));
    const unserved = both.filter((one) =>
      one.records.some(is('the agent cannot be asked, api.listen gives it an address')),
    );
    expect(unserved.length).toBeGreaterThanOrEqual(1);
  });
});
