import { createHmac } from 'node:crypto';
import { headerText } from '../http/post.ts';

const ENCODED = 'whsec_';

/**
 * The three headers of Standard Webhooks 1.0 (standardwebhooks.com): an HMAC-SHA256 over id, time and body, so that a
 * receiver can tell who sent it, that nothing was changed, and that it is not an old one sent again.
 */
export function signatureHeaders(
  secret: string,
  { id, body, wallMs }: { readonly id: string; readonly body: string; readonly wallMs: number },
): Record<string, string> {
  // No dot inside of the id: dots part what is signed.
  const signedId = headerText(id).replaceAll('.', '%2E');
  const timestamp = String(Math.floor(wallMs / 1_000));
  const key = secret.startsWith(ENCODED) ? Buffer.from(secret.slice(ENCODED.length), 'base64') : secret;
  const digest = createHmac('sha256', key).update(`${signedId}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': signedId, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${digest}` };
}
