const SHORTEST = 16;

/** What is wrong with a token, which somebody sends as `authorization: Bearer TOKEN`; undefined where nothing is. */
export function tokenProblem(written: string): string | undefined {
  if (written.length < SHORTEST)
    return `a token has at least ${SHORTEST} characters; openssl rand -hex 16 makes a good one`;
  return /^[!-~]*$/.test(written)
    ? undefined
    : 'a token is sent in a header: letters, digits and punctuation, no spaces';
}
