import { type Outcome } from '../../src/core/outcome.ts';
import type { Probe, ProbeContext } from '../../src/core/probe.ts';
import { formatSize } from '../../src/core/units.ts';
import { VERSION } from '../../src/core/version.ts';
import { withShortForm } from '../../src/schema/scalars.ts';
import { withCertificate } from '../wire/tls.ts';
import { ProbeFailure, outcomeOf } from '../wire/reason.ts';
import { createCookieJar } from './cookies.ts';
import { type Exchanged, exchange } from './exchange.ts';
import { judgeAnswer } from './judge.ts';
import { matchApart } from './match-apart.ts';
import { firstRequest, originOf, redirected, withCookies } from './request.ts';
import { type HttpSettings, keys } from './settings.ts';
import type { Answer } from './variables.ts';

export const http: Probe<HttpSettings> = {
  kind: 'http',
  settings: withShortForm(['scalar'], (url) => ({ url }), keys),

  peer({ url, unix, address }) {
    return unix === undefined ? (address ?? originOf(url)) : undefined;
  },

  async attempt(settings, context) {
    const startedAt = context.clock.now();
    try {
      return await judge(await follow(settings, context), settings, startedAt, context);
    } catch (error) {
      return outcomeOf(error);
    }
  },
};

interface Followed extends Exchanged {
  /** Who answered in the end, where redirects were followed. */
  readonly from: string | undefined;
}

async function follow(settings: HttpSettings, context: ProbeContext): Promise<Followed> {
  let request = firstRequest(settings, `vitald/${VERSION}`);
  const jar = settings.cookies ? createCookieJar() : undefined;
  for (let hops = 0; ; hops++) {
    const exchanged = await exchange(withCookies(request, jar?.header(request.url)), settings, context);
    const { status, headers } = exchanged.response;
    const location = headers.get('location')?.[0];
    const moved = [301, 302, 303, 307, 308].includes(status) && location !== undefined;
    if (!moved || settings.redirects === 0) {
      return { ...exchanged, from: hops === 0 ? undefined : new URL(request.url).host };
    }
    if (hops === settings.redirects) {
      throw new ProbeFailure('protocol', `more than ${settings.redirects} redirects`);
    }
    jar?.store(request.url, headers.get('set-cookie') ?? [], context.clock.wallTime());
    request = redirected(request, status, location);
    context.trace?.({ kind: 'note', text: `redirected to ${request.url}` });
  }
}

async function judge(
  { response, certificate, from }: Followed,
  settings: HttpSettings,
  startedAt: number,
  context: ProbeContext,
): Promise<Outcome> {
  const { clock, trace } = context;
  const { status, headers, body, tooLarge } = response;
  let text: string | undefined;
  const daysLeft = certificate?.facts['tls_days_left'];
  const answer: Answer = {
    status,
    headers,
    text: () => (text ??= body.toString('utf8')),
    matches: (pattern) =>
      answer.text().length > pattern.reach
        ? matchApart(pattern.source, answer.text(), context)
        : pattern.matches(answer.text()),
    largerThan: tooLarge ? formatSize(settings.max_body) : undefined,
    latencyMs: clock.now() - startedAt,
    tlsDaysLeft: typeof daysLeft === 'number' ? daysLeft : undefined,
  };
  const where = from === undefined ? '' : ` from ${from}`;
  return withCertificate(await judgeAnswer(answer, settings, where, trace), certificate);
}
