import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Manner } from './farm.ts';

/** Nodes that will have a fault, and nodes beside them that will not; on loopback, in a network namespace of our own. */
export interface World {
  readonly victims: readonly number[];
  readonly bystanders: readonly number[];
  /** How the victims answer from now on. */
  behave(manner: Manner): void;
  signalVictims(signal: NodeJS.Signals): void;
  /** Drops so many of a hundred packets to and from these ports, in each direction; all of them: to and from anywhere. */
  drop(percent: number, ports?: readonly number[]): void;
  end(): void;
}

const FIRST_PORT = 21_000;
/** Stands for a gateway: whoever connects is refused, which is an answer. */
export const ANCHOR = '127.0.0.9:53';
/** Where blackbox_exporter listens for its scraper, which is on the same host: nothing is dropped on that way. */
export const EXPORTER_PORT = 19_115;

export async function createWorld(victimCount: number, bystanderCount: number): Promise<World> {
  const victims = await farm(FIRST_PORT, victimCount);
  const bystanders = await farm(FIRST_PORT + victimCount, bystanderCount);
  nft('add table inet faults');
  nft('add chain inet faults input { type filter hook input priority 0 ; }');
  return {
    victims: victims.ports,
    bystanders: bystanders.ports,
    behave: (manner) => void victims.process.send(manner),
    signalVictims: (signal) => void victims.process.kill(signal),
    drop(percent, ports) {
      nft('flush chain inet faults input');
      for (const side of ['dport', 'sport'])
        nft(`add rule inet faults input tcp ${side} ${EXPORTER_PORT} accept`);
      if (percent === 0) return;
      const rule = percent === 100 ? 'drop' : `numgen random mod 100 < ${percent} drop`;
      if (!ports) nft(`add rule inet faults input ${rule}`);
      for (const side of ports ? ['dport', 'sport'] : []) {
        nft(`add rule inet faults input tcp ${side} { ${ports!.join(', ')} } ${rule}`);
      }
    },
    end() {
      nft('delete table inet faults');
      for (const { process } of [victims, bystanders]) process.kill('SIGKILL');
    },
  };
}

async function farm(first: number, count: number): Promise<{ process: ChildProcess; ports: number[] }> {
  const process = fork(fileURLToPath(new URL('farm.js', import.meta.url)), [String(first), String(count)]);
  await once(process, 'message');
  return { process, ports: Array.from({ length: count }, (_, index) => first + index) };
}

function nft(command: string): void {
  execFileSync('nft', [command], { stdio: ['ignore', 'ignore', 'inherit'] });
}
