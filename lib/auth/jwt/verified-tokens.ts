import { digestOf } from '../digest.js';

/** How many tokens are remembered: some three megabytes of digests. Beyond that the ones verified first are forgotten. */
const MOST = 32_768;

/**
 * Remembers whose signatures were found good, so that a client that comes back with its token costs no second verification:
 * of ES256 and RS256 that is most of what its upgrade costs. Nothing else is remembered of a token, not even its text: its
 * times are checked each time, and so are the revocations.
 */
export class VerifiedTokens {
  #newer = new Set<string>();
  /** Forgotten as a whole: to take the first out of a set again and again costs V8 more than to verify a token. */
  #older = new Set<string>();

  /** @param key the number of the key that has verified the token */
  has(key: number, token: string): boolean {
    const digest = digestWith(key, token);
    return this.#newer.has(digest) || this.#older.has(digest);
  }

  add(key: number, token: string): void {
    if (this.#newer.size >= MOST / 2) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(digestWith(key, token));
  }
}

function digestWith(key: number, token: string): string {
  return digestOf('sha256', `${key} ${token}`);
}
