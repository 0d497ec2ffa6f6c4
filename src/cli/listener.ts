import type { HeartbeatSettings } from '../../probes/heartbeat.ts';
import { heartbeatRoute } from '../api/heartbeat.ts';
import { challengeRoute } from '../api/challenge.ts';
import { ListenError } from '../api/listen.ts';
import { type Route, serveRoutes } from '../api/routes.ts';
import { type ApiServer, startServer } from '../api/server.ts';
import { createTokens } from '../api/tokens.ts';
import type { Config } from '../config/load.ts';
import { type Endpoint, formatEndpoint } from '../core/address.ts';
import type { BeatReader } from '../core/beat.ts';
import type { Clock } from '../core/clock.ts';
import { type Observer, stackOf } from '../core/observer.ts';
import { createInbox } from '../runtime/inbox.ts';

/** Listens for beats, while there are targets that send them, and for whoever asks the agent. */
export interface Listener {
  readonly inbox: BeatReader;
  /** Listens where, and for whom, this configuration says. Throws ListenError, and then all is as it was. */
  apply(config: Listened): Promise<void>;
  stop(): Promise<void>;
}

type Listened = Pick<Config, 'targets' | 'listen' | 'api' | 'state'>;

export interface ListenerOptions {
  readonly clock: Clock;
  readonly observer: Required<Pick<Observer, 'onBeat' | 'onTrouble'>>;
  /** How the agent can be asked. */
  readonly routes: readonly Route[];
  /** The token of the API where the configuration has none, kept beside the state; undefined where it cannot be. */
  readonly ownToken: (state: string | null) => string | undefined;
  readonly onListening: (address: string, serves: string) => void;
  /** Nobody wrote down where the agent can be asked, and the usual address is taken. */
  readonly onUnserved: (why: string) => void;
}

/** One socket that listens, and what it serves. */
interface Post {
  readonly listen: Endpoint;
  readonly beats: boolean;
  readonly api: boolean;
  /** Somebody asked for it: if it cannot be had, the configuration is no good. */
  readonly isWritten: boolean;
}

const API = 'api';

export function createListener(options: ListenerOptions): Listener {
  const { clock, observer, routes, ownToken, onListening, onUnserved } = options;
  const inbox = createInbox(clock);
  const beatTokens = createTokens();
  const apiTokens = createTokens();
  const receive = heartbeatRoute({ tokens: beatTokens, take: inbox.take, onBeat: observer.onBeat });
  const challenge = challengeRoute((nonce, address) => apiTokens.prove(API, nonce, address));
  const servers = new Map<string, { readonly post: Post; readonly server: ApiServer }>();

  async function open(post: Post): Promise<void> {
    const { listen, beats, api } = post;
    const serve = serveRoutes({
      routes,
      listen,
      now: clock.now,
      admits: (token) => apiTokens.admits(API, token),
      onRefused: observer.onBeat,
    });
    const server = await startServer({
      listen,
      routes(app) {
        if (beats) receive(app);
        if (!api) return;
        serve(app);
        challenge(app);
      },
      onRefused: observer.onBeat,
      onTrouble: (error) => observer.onTrouble('listener', stackOf(error)),
    });
    servers.set(keyOf(post), { post, server });
  }

  async function close(key: string): Promise<void> {
    const last = servers.get(key);
    servers.delete(key);
    await last?.server.close();
  }

  /** A port that we hold ourselves has to be given back first. */
  async function move(wanted: readonly Post[]): Promise<Post[]> {
    const keys = new Set(wanted.map(keyOf));
    const comes = wanted.filter((post) => !servers.has(keyOf(post)));
    const goes = [...servers.values()].map(({ post }) => post).filter((post) => !keys.has(keyOf(post)));
    const inTheWay = goes.filter((post) => comes.some((other) => collide(post.listen, other.listen)));
    const opened: Post[] = [];
    for (const post of inTheWay) await close(keyOf(post));
    try {
      for (const post of comes) {
        try {
          await open(post);
          opened.push(post);
        } catch (error) {
          if (post.isWritten || !(error instanceof ListenError)) throw error;
          onUnserved(error.message);
        }
      }
    } catch (error) {
      for (const post of opened) await close(keyOf(post));
      for (const post of inTheWay) await open(post);
      throw error;
    }
    for (const post of goes) await close(keyOf(post));
    return opened;
  }

  return {
    inbox,
    async apply({ targets, listen, api, state }) {
      const sources = targets
        .filter(({ probe }) => probe.kind === 'heartbeat')
        .map(({ name, probe }) => ({ name, ...(probe.settings as HeartbeatSettings) }));
      const opened = await move(postsOf(sources.length > 0 ? listen : null, api));
      const token = api.listen ? (api.token ?? ownToken(state)) : undefined;
      apiTokens.replace(new Map(token === undefined ? [] : [[API, token]]));
      beatTokens.replace(new Map(sources.map((source) => [source.name, source.token])));
      inbox.expect(sources.map(({ name, every, grace }) => ({ name, windowMs: every + grace })));
      if (opened.some(({ beats }) => beats)) inbox.listenAnew();
      for (const post of opened) onListening(formatEndpoint(post.listen), servesOf(post));
    },
    async stop() {
      await Promise.all([...servers.keys()].map(close));
    },
  };
}

/** One socket where both are to be at the same address. */
function postsOf(beats: Endpoint | null, api: Config['api']): Post[] {
  const same = beats !== null && api.listen !== null && formatEndpoint(beats) === formatEndpoint(api.listen);
  return [
    ...(beats ? [{ listen: beats, beats: true, api: same, isWritten: true }] : []),
    ...(api.listen && !same
      ? [{ listen: api.listen, beats: false, api: true, isWritten: api.isWritten }]
      : []),
  ];
}

function keyOf(post: Post): string {
  return `${servesOf(post)} at ${formatEndpoint(post.listen)}`;
}

function servesOf({ beats, api }: Post): string {
  return beats && api ? 'beats and api' : beats ? 'beats' : 'api';
}

/** Addresses of one port may overlap. */
function collide(a: Endpoint, b: Endpoint): boolean {
  if ('socket' in a || 'socket' in b) return 'socket' in a && 'socket' in b && a.socket === b.socket;
  return a.port === b.port;
}
