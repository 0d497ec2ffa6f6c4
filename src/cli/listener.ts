import type { HeartbeatSettings } from '../../probes/heartbeat.ts';
import { heartbeatRoute } from '../api/heartbeat.ts';
import { type ApiServer, startServer } from '../api/server.ts';
import { createTokens } from '../api/tokens.ts';
import type { Config } from '../config/load.ts';
import { formatAddress } from '../core/address.ts';
import type { BeatReader } from '../core/beat.ts';
import type { Clock } from '../core/clock.ts';
import { type Observer, stackOf } from '../core/observer.ts';
import { createInbox } from '../runtime/inbox.ts';

/** Listens for beats while there are targets that send them. */
export interface Listener {
  readonly inbox: BeatReader;
  /** Listens where, and for whom, this configuration says. Throws ListenError, and then all is as it was. */
  apply(config: Config): Promise<void>;
  stop(): Promise<void>;
}

export interface ListenerOptions {
  readonly clock: Clock;
  readonly observer: Required<Pick<Observer, 'onBeat' | 'onTrouble'>>;
  readonly onListening: (address: string) => void;
}

export function createListener({ clock, observer, onListening }: ListenerOptions): Listener {
  const inbox = createInbox(clock);
  const tokens = createTokens();
  const routes = heartbeatRoute({ tokens, take: inbox.take, onBeat: observer.onBeat });
  let current: { readonly server: ApiServer; readonly listen: Config['listen'] } | undefined;

  async function open(listen: Config['listen']): Promise<void> {
    const server = await startServer({
      listen,
      routes,
      onRefused: observer.onBeat,
      onTrouble: (error) => observer.onTrouble('listener', stackOf(error)),
    });
    current = { server, listen };
  }

  /** A port that we hold ourselves has to be given back first. */
  async function move(listen: Config['listen']): Promise<void> {
    const before = current;
    const samePort = before?.listen.port === listen.port;
    if (samePort) {
      current = undefined;
      await before?.server.close();
    }
    try {
      await open(listen);
    } catch (error) {
      if (before && samePort) await open(before.listen);
      throw error;
    }
    if (!samePort) await before?.server.close();
  }

  return {
    inbox,
    async apply({ targets, listen }) {
      const sources = targets
        .filter(({ probe }) => probe.kind === 'heartbeat')
        .map(({ name, probe }) => ({ name, ...(probe.settings as HeartbeatSettings) }));
      const moves =
        sources.length > 0 && (!current || formatAddress(current.listen) !== formatAddress(listen));
      if (moves) await move(listen);
      tokens.replace(new Map(sources.map(({ name, token }) => [name, token])));
      inbox.expect(sources.map(({ name, every, grace }) => ({ name, windowMs: every + grace })));
      if (moves) {
        inbox.listenAnew();
        onListening(formatAddress(listen));
      }
      if (sources.length === 0) await this.stop();
    },
    async stop() {
      const last = current;
      current = undefined;
      await last?.server.close();
    },
  };
}
