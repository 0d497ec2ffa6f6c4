import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hooks } from '../../src/hooks/index.ts';
import { DOWN, UP, fire, manyDown } from '../support/hook-events.ts';
import { findPrograms } from '../support/programs.ts';
import { freePort, realServer, temporaryDirectory, until } from '../support/real-server.ts';

const found = findPrograms([{ program: 'prometheus-alertmanager', from: 'prometheus-alertmanager' }]);

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly status: { readonly state: string };
}

async function alertmanager(): Promise<{ url: string; alerts(): Promise<Alert[]> }> {
  const cwd = temporaryDirectory();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(join(cwd, 'alertmanager.yml'), 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
  const server = realServer({
    argv: [
      found![0],
      '--config.file=alertmanager.yml',
      '--storage.path=data',
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    port,
    cwd,
    answers: async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok ?? false,
  });
  await server.start();
  return { url, alerts: async () => (await (await fetch(`${url}/api/v2/alerts`)).json()) as Alert[] };
}

/** Now: Alertmanager forgets what is over. */
function current<T extends typeof DOWN>(event: T): T {
  const at = new Date().toISOString();
  return { ...event, at, since: at };
}

describe.skipIf(!found)('a real Alertmanager', () => {
  test('an alert begins, is sent again, and ends', async () => {
    const { url, alerts } = await alertmanager();
    const down = current(DOWN);
    expect(await fire(hooks.alertmanager, url, down)).toEqual({
      ok: true,
      detail: 'status 200',
      retry: false,
    });
    await fire(hooks.alertmanager, url, { ...down, event: 'still_down', at: new Date().toISOString() });
    expect(await alerts()).toMatchObject([
      {
        labels: { alertname: 'VitaldDown', target: 'orders', data_center: 'b' },
        annotations: { message: DOWN.message, incident: DOWN.incident },
        startsAt: down.since,
        status: { state: expect.stringMatching(/active|unprocessed/) },
      },
    ]);
    await fire(hooks.alertmanager, url, { ...UP, since: down.since, at: new Date().toISOString() });
    await until('the alert to be over', async () => (await alerts()).length === 0);
  });

  test('all of a storm comes in one request, and what is wrong is told', async () => {
    const { url, alerts } = await alertmanager();
    const [first, ...also] = [manyDown(300), ...manyDown(300).also!].map(current);
    expect(await fire(hooks.alertmanager, url, { ...first!, also })).toMatchObject({ ok: true });
    expect(new Set((await alerts()).map(({ labels }) => labels['target'])).size).toBe(300);
    const broken = { ...current(DOWN), since: '2999-01-01T00:00:00.000Z' };
    expect(await fire(hooks.alertmanager, url, broken)).toMatchObject({
      ok: false,
      retry: false,
      detail: expect.stringMatching(/^status 400: .*start time/),
    });
  });
});
