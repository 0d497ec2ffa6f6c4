import { get } from 'node:http';
import { EXPORTER_PORT } from './world.ts';

/**
 * What Prometheus makes of blackbox_exporter: `scraper.js PORT...`. Each target is scraped every 2 s, spread over them, and
 * every 2 s the rule `probe_success == 0`, `for: 4s` is evaluated over the last samples. A scrape that fails leaves no
 * sample, and a rule that finds none begins anew.
 */
const INTERVAL_MS = 2_000;
const FOR_MS = 4_000;

const ports = process.argv.slice(2).map(Number);
const success = new Map<number, boolean>();
const active = new Map<number, { readonly since: number; firing: boolean }>();

for (const [index, port] of ports.entries()) {
  setTimeout(() => setInterval(scrape, INTERVAL_MS, port), (index * INTERVAL_MS) / ports.length);
}
/** By the grid of evaluations and not the clock, as Prometheus has it. */
let evaluatedAt = 0;
setInterval(() => evaluate((evaluatedAt += INTERVAL_MS)), INTERVAL_MS);

function scrape(port: number): void {
  const path = `/probe?module=http_2xx&target=http://127.0.0.1:${port}/healthz`;
  const headers = { 'X-Prometheus-Scrape-Timeout-Seconds': String(INTERVAL_MS / 1_000) };
  const options = { port: EXPORTER_PORT, host: '127.0.0.1', path, headers, agent: false };
  get({ ...options, signal: AbortSignal.timeout(INTERVAL_MS) }, (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('error', () => success.delete(port));
    response.on('end', () => success.set(port, /^probe_success 1$/m.test(text)));
  }).on('error', () => success.delete(port));
}

function evaluate(now: number): void {
  for (const port of ports) {
    const alert = active.get(port) ?? { since: now, firing: false };
    if (success.get(port) !== false) {
      if (alert.firing) process.stdout.write(`UP ${port}\n`);
      active.delete(port);
      continue;
    }
    active.set(port, alert);
    if (alert.firing || now - alert.since < FOR_MS) continue;
    alert.firing = true;
    process.stdout.write(`DOWN ${port}\n`);
  }
}
