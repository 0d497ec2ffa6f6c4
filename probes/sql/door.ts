import type { ProbeContext } from '../../src/core/probe.ts';
import { type Connection, type DialOptions, dial } from '../wire/dial.ts';
import type { Ending, Hearing } from '../wire/hearing.ts';
import { ProbeFailure } from '../wire/reason.ts';
import type { SqlSettings } from './settings.ts';

/** How long a server has for closing after our good-bye, ms. */
const FAREWELL_MS = 100;

export function dialServer(
  { address, unix, family }: SqlSettings,
  context: ProbeContext,
): Promise<Connection> {
  const options: DialOptions = { family: family === 'any' ? 0 : family };
  return dial(address ?? { unix: unix! }, context, options);
}

/** Exactly so many bytes, as soon as they have come. */
export async function take(hearing: Hearing, count: number): Promise<Buffer> {
  while (hearing.heard().length < count) {
    const ending = hearing.ending();
    if (ending) throw brokenBy(ending);
    await hearing.more(Infinity);
  }
  const taken = hearing.heard().subarray(0, count);
  hearing.useUp(count);
  return taken;
}

export function brokenBy(ending: Ending): Error {
  if (ending instanceof Error) return ending;
  const how = { closed: 'closed the connection', reset: 'reset the connection', cut: 'cut TLS off' }[ending];
  return new ProbeFailure(ending === 'reset' ? 'reset' : 'closed', `the server ${how} before it was ready`);
}

/**
 * Databases log a connection that is reset. We say good-bye, and let the server close before we do: then it keeps the
 * TIME_WAIT. Where the protocol has no word for it yet, our `end` has to do; after an error the server closes by itself.
 * One that does not close is let go of like any other.
 */
export async function farewell(
  { socket }: Connection,
  { clock, deadline }: Pick<ProbeContext, 'clock' | 'deadline'>,
  goodbye: Buffer | 'end' | 'wait',
): Promise<void> {
  if (socket.destroyed || socket.readableEnded) return;
  const now = clock.now();
  await new Promise<void>((resolve) => {
    const cancel = clock.schedule(now + Math.min(FAREWELL_MS, (deadline - now) / 2), resolve);
    const done = (): void => {
      cancel();
      resolve();
    };
    for (const event of ['end', 'close', 'error']) socket.once(event, done);
    socket.resume();
    if (goodbye === 'end') socket.end();
    else if (goodbye !== 'wait') socket.write(goodbye);
  });
}
