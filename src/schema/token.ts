import { text } from './scalars.ts';

const SHORTEST_TOKEN = 16;

/** What somebody sends as `authorization: Bearer TOKEN`. */
export const token = text()
  .refine((written) => written.length >= SHORTEST_TOKEN, {
    error: `a token has at least ${SHORTEST_TOKEN} characters; openssl rand -hex 16 makes a good one`,
  })
  .refine((written) => /^[!-~]*$/.test(written), {
    error: 'a token is sent in a header: letters, digits and punctuation, no spaces',
  });
