import { createPublicKey, createSecretKey, KeyObject } from 'node:crypto';
import { isThenable } from '../../runtime/thenable.js';
import type { Claims, TokenVerifier } from './token-verifier.interface.js';
import { VerifiedTokens } from './verified-tokens.js';

/** How many keys are kept; beyond that the oldest one is parsed again when it is needed. */
const MOST_KEYS = 1_000;

/** The part of a JwtService that verifies by the key in its options. */
export interface KeyService {
  verify(token: string, options: { clockTimestamp: number }): unknown;
}

/** A key that was parsed. */
interface Key {
  /** No other key of the verifier has it. */
  readonly number: number;
  readonly service: KeyService;
}

/** How a verifier finds its keys, and what it verifies by them. */
export interface KeyedVerifierOptions {
  /** The key for a token, or a promise of it, in any form that jsonwebtoken takes; nothing, or an empty one, where there is none. */
  readonly keyFor: (token: string) => unknown;
  /** Makes the service of a key; without a key, one that refuses every token. */
  readonly serviceOf: (key: KeyObject | undefined) => KeyService;
  /** Seconds after its issue at which a token ends. */
  readonly maxAge?: number | undefined;
  /** False: a token is verified anew each time. Else the services return claims, which only their times can end. */
  readonly remembers: boolean;
}

/**
 * Verifies tokens by keys that it parses once. jsonwebtoken parses a key with every token, and looks for a public key in a
 * secret first, which takes many times as long as the verification. And no signature is verified twice.
 */
export class KeyedVerifier implements TokenVerifier {
  /** By their bytes, or by what was given instead of bytes. */
  readonly #keys = new Map<unknown, Key>();
  readonly #verified = new VerifiedTokens();
  #lastNumber = 0;

  constructor(private readonly options: KeyedVerifierOptions) {}

  async verify(token: string, now: number): Promise<unknown> {
    const given = this.options.keyFor(token);
    const { number, service } = this.#keyOf(isThenable(given) ? await given : given);
    if (this.#verified.has(number, token)) {
      const claims = claimsOf(token);
      if (this.#isInTime(claims, now)) return claims;
    }
    const claims = service.verify(token, { clockTimestamp: now });
    if (this.options.remembers) this.#verified.add(number, token);
    return claims;
  }

  #keyOf(given: unknown): Key {
    const bytes = bytesOf(given);
    const id = bytes ? bytes.toString('latin1') : given;
    const known = this.#keys.get(id);
    if (known) return known;
    const key = { number: ++this.#lastNumber, service: this.options.serviceOf(parse(bytes ?? given)) };
    const [oldest] = this.#keys.keys();
    if (this.#keys.size >= MOST_KEYS) this.#keys.delete(oldest);
    this.#keys.set(id, key);
    return key;
  }

  /** Stricter than jsonwebtoken, which knows of a tolerance and gives the reason: whom this refuses, that is asked about. */
  #isInTime({ exp, nbf, iat }: Claims, now: number): boolean {
    const { maxAge } = this.options;
    if (typeof exp === 'number' && now >= exp) return false;
    if (typeof nbf === 'number' && now < nbf) return false;
    return maxAge === undefined || (typeof iat === 'number' && now < Math.floor(iat + maxAge));
  }
}

function bytesOf(key: unknown): Buffer | undefined {
  if (typeof key === 'string') return Buffer.from(key);
  if (ArrayBuffer.isView(key)) return Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return key instanceof ArrayBuffer ? Buffer.from(key) : undefined;
}

/** Reads a key as jsonwebtoken does: a public key where it is one, else a secret. Undefined for an empty one, and for no key. */
function parse(given: unknown): KeyObject | undefined {
  const key = given instanceof KeyObject ? given : read(given as Buffer);
  return key?.symmetricKeySize === 0 ? undefined : key; // with such a secret everybody could sign
}

function read(given: Buffer): KeyObject | undefined {
  return readBy(createPublicKey, given) ?? readBy(createSecretKey, given);
}

function readBy(create: (key: Buffer) => KeyObject, key: Buffer): KeyObject | undefined {
  try {
    return create(key);
  } catch {
    return undefined;
  }
}

/** A new object each time, since the application may change what it gets. */
function claimsOf(token: string): Claims {
  const [, payload = ''] = token.split('.', 2);
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims;
}
