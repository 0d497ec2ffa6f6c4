import { type Server, type Socket, createServer } from 'node:net';
import { type HostPort, formatAddress } from '../core/address.ts';
import type { Clock } from '../core/clock.ts';
import { plain } from '../core/plain.ts';
import type { AgentCheckSettings, PublishSettings } from '../core/publication.ts';
import type { MemberStanding } from './publisher.ts';

/** Answers the agent checks of HAProxy: it sends the name of a target and a newline. */
export interface AgentChecks {
  /** Listens where this says. Rejects where that cannot be, and then all is as it was. */
  apply(settings: Pick<PublishSettings, 'agentChecks'>): Promise<void>;
  stop(): Promise<void>;
}

export interface AgentCheckOptions {
  readonly clock: Clock;
  /** Undefined where nothing can be said of it. */
  readonly memberOf: (target: string) => MemberStanding | undefined;
  /** Rejects where the address cannot be listened on. */
  readonly listenAt: (server: Server, address: HostPort) => Promise<void>;
  readonly onListening: (address: string) => void;
}

/** From connect to answer, ms: a name is one packet. */
const QUESTION_MS = 2_000;
const LONGEST_NAME = 1_024;
const MOST_CONNECTIONS = 1_024;
/** HAProxy shows it in its statistics. */
const LONGEST_REASON = 100;

export function createAgentChecks(options: AgentCheckOptions): AgentChecks {
  const { clock, memberOf, listenAt, onListening } = options;
  const listeners = new Map<string, { settings: AgentCheckSettings; close: () => Promise<void> }>();

  async function open(settings: AgentCheckSettings): Promise<void> {
    const address = formatAddress(settings.listen);
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
      answerOn(socket, address);
    });
    server.maxConnections = MOST_CONNECTIONS;
    await listenAt(server, settings.listen);
    server.on('error', () => {});
    listeners.set(address, {
      settings,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          for (const socket of sockets) socket.destroy();
        }),
    });
    onListening(address);
  }

  function answerOn(socket: Socket, address: string): void {
    let question = '';
    const cancel = clock.schedule(clock.now() + QUESTION_MS, () => socket.destroy());
    socket.once('close', cancel);
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      question += chunk;
      const end = question.indexOf('\n');
      if (end < 0 && question.length < LONGEST_NAME) return;
      socket.removeAllListeners('data');
      const member = end < 0 ? undefined : memberOf(question.slice(0, end).trim());
      const settings = listeners.get(address)?.settings;
      // Without an answer HAProxy leaves all as it is.
      if (!member || !settings) socket.destroy();
      else socket.end(`${agentAnswer(member, settings)}\n`);
    });
  }

  return {
    async apply({ agentChecks }) {
      const wanted = new Map(agentChecks.map((settings) => [formatAddress(settings.listen), settings]));
      const opened: string[] = [];
      try {
        for (const [address, settings] of wanted) {
          if (listeners.has(address)) continue;
          await open(settings);
          opened.push(address);
        }
      } catch (error) {
        for (const address of opened) await close(address);
        throw error;
      }
      for (const [address, listener] of listeners) {
        const settings = wanted.get(address);
        if (settings) listener.settings = settings;
        else await close(address);
      }
    },
    async stop() {
      await Promise.all([...listeners.keys()].map(close));
    },
  };

  async function close(address: string): Promise<void> {
    const listener = listeners.get(address);
    listeners.delete(address);
    await listener?.close();
  }
}

/**
 * The words of HAProxy's configuration manual, 5.2, `agent-check`. `drain` is a state of administration there, which only `ready`
 * ends; somebody else may have set it, too, so that `ready` is said only after a `drain` of ours.
 */
export function agentAnswer(
  { published, drained, wasDrained, why, facts }: MemberStanding,
  { weight }: Pick<AgentCheckSettings, 'weight'>,
): string {
  if (drained) return 'drain';
  if (!published) {
    const reason = plain(why)
      .replaceAll(/[^\u0020-\u007e]/g, '?')
      .slice(0, LONGEST_REASON);
    // HAProxy looks for the sharp where a word begins: `down#why` is no word that it knows, whatever its manual says.
    return `down #${reason}`;
  }
  const words = ['up', ...(wasDrained ? ['ready'] : [])];
  if (weight !== null) {
    const share = Number(facts?.[weight]);
    words.push(`${Number.isFinite(share) ? Math.min(100, Math.max(0, Math.round(share))) : 100}%`);
  }
  return words.join(' ');
}
