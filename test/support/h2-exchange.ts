import type { Answer } from '../../probes/http2/answer-reader.ts';
import type { Request } from '../../probes/http2/sender.ts';
import { type Session, createSession } from '../../probes/http2/session.ts';
import { ProbeFailure } from '../../probes/wire/reason.ts';

export const GET: Request = {
  method: 'GET',
  scheme: 'http',
  authority: 'h',
  path: '/',
  fields: [],
  content: Buffer.alloc(0),
};

/** One request on a session without a socket, and all that comes of it. */
export interface Heard {
  readonly session: Session;
  /** All that we have written, in pieces as they went out. */
  readonly written: Buffer[];
  content: string;
  answer: Answer | undefined;
  failure: Error | undefined;
}

export interface HearingOptions {
  readonly request?: Request;
  readonly window?: number;
  readonly bearsGoaway?: boolean;
  /** No more of the content is wanted than this. */
  readonly most?: number;
}

export function hearing({
  request = GET,
  window = 65_535,
  bearsGoaway = false,
  most = Infinity,
}: HearingOptions = {}): Heard {
  const written: Buffer[] = [];
  const session = createSession({
    write: (bytes) => void written.push(bytes),
    window,
    bearsGoaway,
    keeps: true,
  });
  return ask({ session, written, content: '', answer: undefined, failure: undefined }, request, most);
}

/** Another request on the same session. */
export function ask(heard: Heard, request: Request = GET, most = Infinity): Heard {
  Object.assign(heard, { content: '', answer: undefined, failure: undefined });
  heard.session.open(request, {
    content(piece) {
      heard.content += piece.toString('latin1');
      return heard.content.length <= most;
    },
    done: (answer) => {
      heard.answer = answer;
    },
    failed: (failure) => {
      heard.failure = failure;
    },
  });
  return heard;
}

/** What an exchange came to, on one line. */
export function verdictOf({ answer, failure, content }: Heard): string {
  if (failure) return `${failure instanceof ProbeFailure ? failure.reason : 'a bug'}: ${failure.message}`;
  if (!answer) return 'nothing yet';
  const trailers = [...answer.trailers].map(([name, values]) => ` ${name}=${values.join('|')}`).join('');
  return `${answer.status} ${content.length > 40 ? `${content.length} bytes` : content}${trailers}`.trimEnd();
}
