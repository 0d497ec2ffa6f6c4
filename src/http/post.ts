import type * as undici from 'undici';
import type { HookContext, HookResult } from '../core/hook.ts';
import { plain } from '../core/plain.ts';
import { VERSION } from '../core/version.ts';

export interface Post {
  readonly url: string;
  readonly method?: 'POST' | 'PUT' | 'PATCH';
  /** In lower case; they replace ours of the same name. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Statuses that a later try may mend; others of 400 to 499 are an answer. */
const RETRIED = new Set([408, 425, 429]);

/** So much of an answer is worth reading, and for so long: it may say what was wrong with the request. */
const SAID_BYTES = 300;
const SAID_MS = 1_000;

let agent: undici.Agent | undefined;

/** What `post` takes: 11 MB, which an agent that posts nothing does without. */
export function loadPost(): Promise<typeof undici> {
  return import('undici');
}

/** Sends a JSON body. A status of 200 to 299 is success; redirects are not followed. Rejects where there is no answer. */
export async function post(
  { url, method = 'POST', headers, body }: Post,
  { signal, clock }: HookContext,
): Promise<HookResult> {
  const { Agent, request } = await loadPost();
  // Events and actions are rare: no connection is kept. The caller owns the timeout; undici's own tick every half second.
  agent ??= new Agent({ pipelining: 0, headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 0 } });
  const response = await request(url, {
    method,
    headers: { 'content-type': 'application/json', 'user-agent': `vitald/${VERSION}`, ...headers },
    body,
    dispatcher: agent,
    signal,
  });
  const status = response.statusCode;
  // The status decides: where it is good, whoever does not end the body is not waited for.
  response.body.on('error', () => {});
  if (status >= 200 && status <= 299) {
    response.body.destroy();
    return { ok: true, detail: `status ${status}`, retry: false };
  }
  const said = await beginningOf(response.body, clock);
  return {
    ok: false,
    detail: said === '' ? `status ${status}` : `status ${status}: ${said}`,
    retry: status >= 500 || RETRIED.has(status),
    ...retryAfter(response.headers['retry-after'], clock.wallTime()),
  };
}

/** What an answer begins with, on one line. Never rejects. */
async function beginningOf(body: NodeJS.ReadableStream, clock: HookContext['clock']): Promise<string> {
  const stream = body as NodeJS.ReadableStream & { destroy(): void };
  const chunks: Buffer[] = [];
  let bytes = 0;
  await new Promise<void>((resolve) => {
    const cancel = clock.schedule(clock.now() + SAID_MS, end);
    function end(): void {
      cancel();
      resolve();
    }
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= SAID_BYTES) end();
    });
    for (const event of ['end', 'error', 'close']) stream.once(event, end);
  });
  stream.destroy();
  return plain(Buffer.concat(chunks).subarray(0, SAID_BYTES).toString('utf8'));
}

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfter(
  header: string | string[] | undefined,
  now: number,
): Pick<HookResult, 'retryAfterMs'> | undefined {
  const [written] = [header ?? []].flat();
  if (written === undefined) return undefined;
  const ms = /^\d+$/.test(written) ? Number(written) * 1_000 : Date.parse(written) - now;
  return Number.isFinite(ms) && ms > 0 ? { retryAfterMs: ms } : undefined;
}

/** A header's text for an id: a target's name may have characters that no header may carry. */
export function headerText(id: string): string {
  return encodeURIComponent(id);
}

/** So that a header of the user's replaces ours, whatever its case. */
export function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
