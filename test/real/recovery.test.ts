import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type RunningAgent, runCli, startAgent } from '../support/cli.ts';
import { type Daemon, nginxDaemon, postgresqlDaemon } from '../support/daemons.ts';
import { UNBRAKED } from '../support/incidents.ts';
import { NGINX } from '../support/nginx.ts';
import { findPrograms, postgresqlDirectories } from '../support/programs.ts';
import { freePort, temporaryDirectory, until } from '../support/real-server.ts';
import { type Receiver, receiver } from '../support/receiver.ts';

/** An agent that looks after one daemon, with a ladder of three steps: reload, restart, page. */
interface Watch {
  readonly agent: RunningAgent;
  /** Whom it tells of incidents, and whom it pages. */
  readonly people: Receiver;
  /** A command that asks it. */
  readonly vitald: (...args: string[]) => Promise<{ readonly stdout: string }>;
  /** Recovery was switched off at the start: now it begins. */
  switchOn(): void;
}

async function watch(daemon: Daemon, { off = false } = {}): Promise<Watch> {
  const directory = temporaryDirectory();
  const people = await receiver(200);
  const file = join(directory, 'targets.yaml');
  const offFile = join(directory, 'off');
  if (off) writeFileSync(offFile, '');
  const config = {
    api: { listen: `127.0.0.1:${await freePort()}` },
    confirm: '0s',
    defaults: {
      interval: '500ms',
      timeout: '400ms',
      retry_interval: '100ms',
      failure_threshold: 3,
      success_threshold: 2,
      // Also the time that each step is waited for in vain.
      verify: { successes: 2, within: '3s', stable: '200ms' },
    },
    recovery: { ...UNBRAKED, off_file: offFile },
    targets: [{ name: 'server', ...daemon.probe, notify: 'people', recover: ['reload', 'restart', 'page'] }],
    hooks: {
      people: { webhook: people.url },
      reload: [daemon.reload],
      restart: [daemon.restart],
      page: [{ webhook: people.url, settle: '0s' }],
    },
  };
  writeFileSync(file, JSON.stringify(config));
  daemon.start();
  const env = { XDG_STATE_HOME: directory };
  const agent = startAgent(['run', file, '--log', 'json'], { env });
  await agent.waitFor(({ msg, to }) => msg === 'transition' && to === 'up');
  return {
    agent,
    people,
    vitald: (...args) => runCli([...args, file], { env }),
    switchOn: () => rmSync(offFile),
  };
}

/** Waits until recovery has come to this, and the end of the incident was told. Everything that happened, in short. */
async function story({ agent, people, vitald }: Watch, end = 'recovered'): Promise<string[]> {
  const { incident } = await agent.waitFor(
    ({ outcome, msg }) => outcome === end || msg === `recovery ${end}`,
  );
  if (end === 'recovered') {
    await until('the end to be told', async () => heard(people).includes('up'));
  }
  const lines: string[] = [];
  let acted = '';
  for (const { msg, step, ok, outcome, to, reason } of agent.records) {
    if (msg === 'transition' && to === 'down') lines.push(`down: ${String(reason)}`);
    if (msg === 'recovery begins') acted = `${String(step)} `;
    if (msg === 'recovery acted') acted += ok === true ? 'works' : 'does not work';
    if (msg === 'recovery outcome') lines.push(`${acted}: ${String(outcome)}`);
    if (msg === 'recovery gave up') lines.push('gave up');
  }
  const { stdout } = await vitald('incident', String(incident), '--json');
  const { actions } = JSON.parse(stdout) as { actions: { step: string; result: string; outcome: string }[] };
  const kept = actions.map(
    ({ step, result, outcome }) => `${step} ${result === 'ok' ? 'works' : 'does not work'}: ${outcome}`,
  );
  expect(kept).toEqual(lines.filter((line) => !/^(down|gave up)/.test(line)));
  return lines;
}

/** What people were told, and asked, in order. */
function heard({ received }: Receiver): string[] {
  return received.map(({ body }) => (JSON.parse(body) as { event: string }).event);
}

function isRecovered(
  make: () => Promise<Daemon>,
  said: { readonly failing: string; readonly strange: string },
): void {
  test('killed: a reload is in vain, a restart helps', async () => {
    const daemon = await make();
    const watching = await watch(daemon);
    daemon.kill();
    expect(await story(watching)).toEqual([
      expect.stringMatching(/^down: (refused|reset|closed)$/),
      // Where nobody has buried the dead yet, they can be signalled.
      expect.stringMatching(/^reload (works|does not work): failed$/),
      'restart works: recovered',
    ]);
    expect(heard(watching.people)).toEqual(['down', 'up']);
  });

  test('frozen: a reload says that it worked, and the probe that it did not', async () => {
    const daemon = await make();
    const watching = await watch(daemon);
    daemon.freeze();
    expect(await story(watching)).toEqual([
      'down: timeout',
      'reload works: failed',
      'restart works: recovered',
    ]);
    expect(heard(watching.people)).toEqual(['down', 'up']);
  });

  test('mis-configured, and put right in the file: a reload is enough', async () => {
    const daemon = await make();
    const watching = await watch(daemon, { off: true });
    daemon.configure('strange');
    await watching.agent.waitFor(({ msg }) => msg === 'recovery held');
    daemon.write('well');
    watching.switchOn();
    expect(await story(watching)).toEqual([`down: ${said.strange}`, 'reload works: recovered']);
    expect(heard(watching.people)).toEqual(['down', 'up']);
  });

  test('mis-configured for good: neither helps, and whoever is paged mends it', async () => {
    const daemon = await make();
    const watching = await watch(daemon);
    daemon.configure('failing');
    await until('the page', async () => heard(watching.people).includes('recover'));
    daemon.configure('well');
    expect(await story(watching)).toEqual([
      `down: ${said.failing}`,
      'reload works: failed',
      'restart works: failed',
      'page works: recovered',
    ]);
    expect(heard(watching.people)).toEqual(['down', 'recover', 'up']);
    const [down, page, up] = watching.people.received.map(
      ({ body }) => JSON.parse(body) as Record<string, unknown>,
    );
    expect(page).toMatchObject({ target: 'server', step: 'page', try: 1, reason: said.failing });
    expect([page!['incident'], up!['incident']]).toEqual([down!['incident'], down!['incident']]);
  });
}

const nginx = findPrograms([NGINX]);

describe.skipIf(!nginx)('nginx', () => {
  isRecovered(() => nginxDaemon(nginx![0]), { failing: 'status', strange: 'mismatch' });

  test('where nobody comes, recovery gives up and says so', async () => {
    const daemon = await nginxDaemon(nginx![0]);
    const watching = await watch(daemon);
    daemon.configure('failing');
    expect(await story(watching, 'gave up')).toEqual([
      'down: status',
      'reload works: failed',
      'restart works: failed',
      'page works: failed',
      'gave up',
    ]);
    await until('that to be told', async () => heard(watching.people).includes('gave_up'));
    expect(heard(watching.people)).toEqual(['down', 'recover', 'gave_up']);
  });
});

const alsoIn = postgresqlDirectories();
const postgresql = findPrograms([
  { program: 'initdb', from: 'postgresql', alsoIn },
  { program: 'postgres', from: 'postgresql', alsoIn },
  { program: 'pg_ctl', from: 'postgresql', alsoIn },
]);

describe.skipIf(!postgresql)('PostgreSQL', () => {
  const make = (): Promise<Daemon> => {
    const [initdb, postgres, pgCtl] = postgresql!;
    return postgresqlDaemon({ initdb, postgres, pgCtl });
  };
  isRecovered(make, { failing: 'status', strange: 'status' });
});
