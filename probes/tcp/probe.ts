import type { TLSSocket } from 'node:tls';
import { type Outcome, ok } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { withShortForm } from '../../src/schema/scalars.ts';
import { dial } from '../wire/dial.ts';
import { outcomeOf } from '../wire/reason.ts';
import { withCertificate } from '../wire/tls.ts';
import { type Dialogue, startDialogue } from './dialogue.ts';
import { RULES } from './listen.ts';
import { type Step, type TcpSettings, keys } from './settings.ts';
import { holds } from './survival.ts';

export const tcp: Probe<TcpSettings> = {
  kind: 'tcp',
  settings: withShortForm(['scalar'], (address) => ({ address }), keys),
  peer: ({ address }) => address,

  async attempt(settings, context) {
    const { address, unix, family, tls } = settings;
    const host = address?.host ?? 'localhost';
    let dialogue: Dialogue | undefined;
    try {
      const first = await dial(address ?? { unix: unix! }, context, {
        family: family === 'any' ? 0 : family,
        tls: tls && { settings: tls, host },
      });
      dialogue = startDialogue(first, host, tls, context);
      const outcome = await talk(dialogue, settings, context);
      return withCertificate(outcome, dialogue.connection().certificate);
    } catch (error) {
      return outcomeOf(error);
    } finally {
      dialogue?.connection().close();
    }
  },
};

async function talk(dialogue: Dialogue, settings: TcpSettings, context: ProbeContext): Promise<Outcome> {
  const steps: readonly Step[] = settings.steps ?? [settings];
  const whereIs = (index: number): string => (settings.steps ? `steps[${index}].` : '');
  let at = 0;
  try {
    for (; at < steps.length; at++) await dialogue.take(steps[at]!, whereIs(at));
    await dialogueHolds(dialogue, context);
    return ok(praise(settings, dialogue));
  } catch (error) {
    for (let later = at + 1; later < steps.length; later++) {
      tellUnreached(steps[later]!, whereIs(later), context);
    }
    const outcome = outcomeOf(error);
    const inStep = settings.steps && at < steps.length;
    return inStep ? { ...outcome, message: `step ${at + 1}: ${outcome.message}` } : outcome;
  }
}

/** Where nothing was heard over TLS, it has yet to be seen whether it is up. */
async function dialogueHolds(dialogue: Dialogue, context: ProbeContext): Promise<void> {
  const tls = dialogue.tls();
  if (!tls || dialogue.hasListened()) return;
  await holds(dialogue.connection().socket as TLSSocket, tls.cert !== undefined, context);
}

function praise(settings: TcpSettings, dialogue: Dialogue): string {
  const steps: readonly Step[] = settings.steps ?? [settings];
  const listens = steps.some((step) => RULES.some((rule) => step[rule] !== undefined));
  if (listens && !settings.steps) return 'the answer is as expected';
  const sends = steps.some(({ send, send_hex }) => send !== undefined || send_hex !== undefined);
  const done = listens ? 'the dialogue went as expected' : sends ? 'connected and sent' : 'connected';
  return dialogue.tls() && !dialogue.hasListened() ? `${done}, TLS is up` : done;
}

function tellUnreached(step: Step, where: string, { trace }: ProbeContext): void {
  for (const rule of RULES) {
    if (step[rule]) trace?.({ kind: 'rule', rule: `${where}${rule}`, passed: false, value: 'not reached' });
  }
}
