import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Recipe } from './tools.ts';
import { EXPORTER_PORT } from './world.ts';

const HAPROXY = '/usr/sbin/haproxy';
const MONIT = '/usr/bin/monit';
const EXPORTER = '/usr/bin/prometheus-blackbox-exporter';

/** Other probers, by their defaults where they have any that are near: what takes minutes by default asks every 2 s here. */

/** HAProxy's defaults: inter 2s, fall 3, rise 2, and a check takes at most as long as the interval. */
export const haproxy: Recipe = {
  name: 'HAProxy defaults',
  needs: HAPROXY,
  files(dir, ports) {
    const servers = ports.map((port) => `  server ${port} 127.0.0.1:${port} check`);
    writeFileSync(
      join(dir, 'config'),
      `global
  nbthread 1
  log stdout format raw daemon info
  stats socket ${dir}/socket
defaults
  log global
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
backend b
  option httpchk GET /healthz
${servers.join('\n')}
`,
    );
  },
  commands: (dir) => [[HAPROXY, '-db', '-f', join(dir, 'config')]],
  down: /Server b\/(\d+) is DOWN/,
  back: /Server b\/(\d+) is UP/,
};

/** Monit looks at one service after another, and waits for 2 s after each round. Three failures, as HAProxy. */
export const monit: Recipe = {
  name: 'Monit, 2 s, 3 cycles',
  needs: MONIT,
  files(dir, ports) {
    const checks = ports.map(
      (port) =>
        `check host "${port}" with address 127.0.0.1\n  if failed port ${port} protocol http request "/healthz" ` +
        'with timeout 2 seconds for 3 cycles then alert',
    );
    const files = ['id', 'state', 'pid'].map((name) => `set ${name}file ${dir}/${name}`);
    const head = ['set daemon 2', `set log ${dir}/log`, ...files];
    writeFileSync(join(dir, 'config'), [...head, ...checks, ''].join('\n'), { mode: 0o600 });
    writeFileSync(join(dir, 'log'), '');
  },
  commands: (dir) => [
    ['tail', '-n', '+1', '-F', join(dir, 'log')],
    [MONIT, '-I', '-c', join(dir, 'config')],
  ],
  down: /error +: '(\d+)' failed/,
  back: /'(\d+)' .*succeeded/,
};

/**
 * blackbox_exporter and a stand-in for Prometheus, which scrapes and evaluates every 2 s: `probe_success == 0` with
 * `for: 4s`, so that it takes three looks.
 */
export const blackbox: Recipe = {
  name: 'blackbox_exporter, 2 s, for 4 s',
  needs: EXPORTER,
  // Go asks the system and not the C library.
  readsItsOwnClock: true,
  files: (dir) => writeFileSync(join(dir, 'config'), 'modules: { http_2xx: { prober: http } }\n'),
  commands: (dir, ports) => [
    [process.execPath, join(import.meta.dirname, 'scraper.js'), ...ports.map(String)],
    [EXPORTER, `--config.file=${dir}/config`, `--web.listen-address=127.0.0.1:${EXPORTER_PORT}`],
  ],
  down: /^DOWN (\d+)/,
  back: /^UP (\d+)/,
};
