import { z } from 'zod';
import { type Facts, type Outcome, fail, ok } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { filePath } from '../../src/schema/file.ts';
import { address, family, flag, integer, text, withShortForm } from '../../src/schema/scalars.ts';
import { type Connection, dial } from '../wire/dial.ts';
import { type Ending, createHearing } from '../wire/hearing.ts';
import { ProbeFailure, outcomeOf } from '../wire/reason.ts';
import { tlsChoice, withCertificate } from '../wire/tls.ts';
import { factsOf } from './info.ts';
import { type Reply, command, readReply } from './resp.ts';

const keys = z
  .strictObject({
    address: address().optional().describe('what to dial: host:port or [v6]:port; either this or `unix`'),
    unix: filePath().optional().describe('a unix socket to dial instead'),
    family: family().describe('which addresses of the name are dialled: any (the first), 4 or 6'),
    tls: tlsChoice().describe('TLS: true, or a mapping'),
    username: text().optional().describe('whom to authenticate as (ACL); without it the default user'),
    password: text().optional().describe('sent by `AUTH`'),
    database: integer(0).optional().describe('sent by `SELECT`'),
    info: flag()
      .default(true)
      .describe('ask for facts by `INFO`; proxies that close on it are asked without'),
  })
  .superRefine(({ address, unix, username, password }, context) => {
    const refuse = (message: string, ...path: string[]): void =>
      context.addIssue({ code: 'custom', message, path });
    if ((address === undefined) === (unix === undefined)) refuse('redis takes either address or unix');
    if (username !== undefined && password === undefined) refuse('username needs a password', 'username');
  });

type RedisSettings = z.infer<typeof keys>;

/** Whether a Redis, or what speaks its protocol, serves: `PING`, after `AUTH` and `SELECT` where there is one. */
export const redis: Probe<RedisSettings> = {
  kind: 'redis',
  settings: withShortForm(['scalar'], (address) => ({ address }), keys),
  peer: ({ address }) => address,

  async attempt(settings, context) {
    try {
      const { address, unix, tls } = settings;
      const connection = await dial(address ?? { unix: unix! }, context, {
        family: settings.family === 'any' ? 0 : settings.family,
        tls: tls && { settings: tls, host: address?.host ?? 'localhost' },
      });
      try {
        return withCertificate(await ask(connection, settings, context), connection.certificate);
      } finally {
        connection.close();
      }
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

/** How long INFO may take after PONG, ms: it comes along with it, or not at all. */
const INFO_MS = 500;

interface Question {
  readonly words: readonly string[];
  /** As people may see it. */
  readonly shown: string;
  /** The outcome, where this reply decides it. */
  judge(reply: Reply): Outcome | undefined;
}

/** All at once: a probe costs the server one read and one write. */
async function ask(connection: Connection, settings: RedisSettings, context: ProbeContext): Promise<Outcome> {
  const { enter, trace, clock, deadline } = context;
  let facts: Facts = {};
  let answered = false;
  let until = Infinity;
  const questions = questionsOf(settings, (text) => (facts = { ...facts, ...factsOf(text) }));
  const hearing = createHearing(connection, context);
  for (const { shown } of questions) trace?.({ kind: 'sent', what: 'redis', text: shown });
  enter('wait');
  connection.socket.write(questions.map(({ words }) => command(...words)).join(''));
  for (const { shown, judge } of questions) {
    const reply = await readReply(hearing, context, until);
    // A proxy that does not know INFO may close the connection over it, or say nothing: the server has answered by then.
    if (!reply && answered && !(hearing.ending() instanceof Error)) break;
    if (!reply) throw failureOf(hearing.ending()!);
    trace?.({ kind: 'received', what: shown, text: `${reply.isError ? '-' : ''}${reply.text}` });
    const outcome = judge(reply);
    if (shown === 'PING') {
      trace?.({ kind: 'rule', rule: 'ping', passed: outcome?.status !== 'fail', value: reply.text });
      answered = true;
      const now = clock.now();
      until = now + Math.min(INFO_MS, (deadline - now) / 2);
    }
    if (outcome) return outcome;
  }
  return ok('PONG', facts);
}

function questionsOf(
  { username, password, database, info }: RedisSettings,
  onInfo: (text: string) => void,
): Question[] {
  const user = username === undefined ? [] : [username];
  const tell = ({ isError, text }: Reply): undefined => void (isError || onInfo(text));
  const asked = (words: readonly string[], judge: Question['judge'], shown = words.join(' ')): Question => ({
    words,
    shown,
    judge,
  });
  return [
    ...(password === undefined
      ? []
      : [asked(['AUTH', ...user, password], judgeStep, ['AUTH', ...user, '***'].join(' '))]),
    ...(database === undefined ? [] : [asked(['SELECT', String(database)], judgeStep)]),
    asked(['PING'], judgePong),
    ...(info ? [asked(['INFO', 'server'], tell), asked(['INFO', 'replication'], tell)] : []),
  ];
}

/** Errors of a server that is there, and not in service now. */
const NOT_NOW = /^(LOADING|MASTERDOWN|BUSY|MISCONF|CLUSTERDOWN|TRYAGAIN)\b/;
const WANTS_AUTHENTICATION = /^NOAUTH\b/;

function judgeStep(reply: Reply): Outcome | undefined {
  // Without credentials PING says so, too, and decides.
  return reply.isError && !WANTS_AUTHENTICATION.test(reply.text) ? refusal(reply.text) : undefined;
}

function judgePong({ isError, text }: Reply): Outcome | undefined {
  if (!isError) {
    if (text.toUpperCase() === 'PONG') return undefined;
    return fail('protocol', `PING is answered by ${JSON.stringify(text.slice(0, 100))}`);
  }
  if (!WANTS_AUTHENTICATION.test(text)) return refusal(text);
  return ok('alive, and wants authentication', { auth_required: true });
}

function refusal(text: string): Outcome {
  return fail(NOT_NOW.test(text) ? 'not_serving' : 'status', text);
}

function failureOf(ending: Ending): Error {
  if (ending instanceof Error) return ending;
  const reset = ending === 'reset';
  return new ProbeFailure(
    reset ? 'reset' : 'closed',
    `the peer ${reset ? 'reset' : 'closed'} the connection before its answer`,
  );
}
