import { createHash, timingSafeEqual } from 'node:crypto';

/** Who may send as whom. */
export interface Tokens {
  replace(byName: ReadonlyMap<string, string>): void;
  /** Takes as long for a name that there is not as for a wrong token. */
  admits(name: string, presented: string): boolean;
}

export function createTokens(): Tokens {
  const nobody = digest('');
  let digests = new Map<string, Buffer>();
  return {
    replace(byName) {
      digests = new Map([...byName].map(([name, token]) => [name, digest(token)]));
    },
    admits(name, presented) {
      const known = digests.get(name);
      const same = timingSafeEqual(known ?? nobody, digest(presented));
      return same && known !== undefined;
    },
  };
}

/** Digests are of one length, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
