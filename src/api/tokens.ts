import { timingSafeEqual } from 'node:crypto';
import { keyOf, proofOf } from './challenge.ts';

/** Who may send as whom. */
export interface Tokens {
  replace(byName: ReadonlyMap<string, string>): void;
  /** Takes as long for a name that there is not as for a wrong token. */
  admits(name: string, presented: string): boolean;
  /** That we have the token; undefined where there is none. */
  prove(name: string, nonce: string, address: string): string | undefined;
}

export function createTokens(): Tokens {
  const nobody = keyOf('');
  let digests = new Map<string, Buffer>();
  return {
    replace(byName) {
      digests = new Map([...byName].map(([name, token]) => [name, keyOf(token)]));
    },
    admits(name, presented) {
      const known = digests.get(name);
      const same = timingSafeEqual(known ?? nobody, keyOf(presented));
      return same && known !== undefined;
    },
    prove(name, nonce, address) {
      const known = digests.get(name);
      return known && proofOf(known, nonce, address);
    },
  };
}
