import { spawnSync } from 'node:child_process';
import { type Scenario, SCENARIOS } from './scenarios.ts';
import { blackbox, haproxy, monit } from './peers.ts';
import { type Recipe, type Tool, hasFaketime, isInstalled, startTool, vitald } from './tools.ts';
import { createWorld } from './world.ts';

/**
 * Faults brought about for real, with the agent and other probers watching the same nodes: `npm run bench:faults [ID...]`.
 * Needs root, for a network namespace of its own in which packets can be dropped; Debian: nftables, haproxy, monit,
 * prometheus-blackbox-exporter, faketime.
 */
const RECIPES: readonly Recipe[] = [
  vitald('vitald defaults', 'interval: 5s', 'explicit: 2s, silent: 6s, path: 10s'),
  vitald('vitald, 2 s', 'interval: 2s, suspect_after: off', 'explicit: 2s, silent: 10s, path: 10s'),
  haproxy,
  monit,
  blackbox,
];

const INSIDE = 'FAULTS_INSIDE';
const VICTIMS = 20;
const BYSTANDERS = 30;

if (process.env[INSIDE] === undefined) {
  const again = [
    '-n',
    'sh',
    '-c',
    'ip link set lo up && exec "$@"',
    'sh',
    process.execPath,
    ...process.argv.slice(1),
  ];
  const { status } = spawnSync('unshare', again, {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  process.exitCode = status ?? 1;
} else await main(process.argv.slice(2));

async function main(wanted: readonly string[]): Promise<void> {
  const recipes = RECIPES.filter((recipe) => {
    if (isInstalled(recipe)) return true;
    process.stderr.write(`${recipe.name} is left out: there is no ${recipe.needs}; see bench/README.md\n`);
    return false;
  });
  print(['fault', 'rule', 'found', 'mean s', 'p99 s', 'false downs', 'downs', 'told', 'actions']);
  print(Array.from({ length: 9 }, () => '---'));
  for (const scenario of SCENARIOS) {
    if (wanted.length > 0 && !wanted.includes(scenario.id)) continue;
    if (scenario.ownClock && !hasFaketime()) {
      process.stderr.write(
        `${scenario.id} is left out: there is no libfaketime; Debian: apt-get install faketime\n`,
      );
      continue;
    }
    const able = recipes.filter(({ readsItsOwnClock = false }) => !(scenario.ownClock && readsItsOwnClock));
    await play(scenario, able);
  }
}

async function play(scenario: Scenario, recipes: readonly Recipe[]): Promise<void> {
  const world = await createWorld(scenario.victims ?? VICTIMS, scenario.bystanders ?? BYSTANDERS);
  const ports = [...world.victims, ...world.bystanders];
  const tools = recipes.map((recipe) => startTool(recipe, { ports, ownClock: scenario.ownClock ?? false }));
  try {
    await Promise.all(tools.map(({ ready }) => ready));
    const at = performance.now();
    await scenario.run(world, tools);
    for (const tool of tools) print(row(scenario, world.victims, tool, at));
  } finally {
    await Promise.all(tools.map((tool) => tool.stop()));
    world.end();
  }
}

function row(
  { id, what, effect }: Scenario,
  victims: readonly number[],
  tool: Tool,
  faultAt: number,
): string[] {
  const found = new Map<number, number>();
  let falseDowns = 0;
  for (const { port, at } of tool.downs) {
    if (effect !== 'kills' || !victims.includes(port) || at < faultAt) falseDowns++;
    else if (!found.has(port)) found.set(port, at - faultAt);
  }
  const times = [...found.values()].toSorted((a, b) => a - b);
  const mean = times.reduce((sum, ms) => sum + ms, 0) / times.length;
  const seconds = (ms: number): string => (times.length === 0 ? '' : (ms / 1_000).toFixed(1));
  return [
    `${id} ${what}`,
    tool.name,
    effect === 'kills' ? `${found.size} of ${victims.length}` : '',
    seconds(mean),
    seconds(times[Math.floor(times.length * 0.99)] ?? 0),
    effect === 'flaps' ? '' : String(falseDowns),
    String(tool.downs.length),
    String(tool.told()),
    tool.acts ? String(tool.actions()) : '',
  ];
}

function print(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}
