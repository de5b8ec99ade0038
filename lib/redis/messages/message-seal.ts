import { createHmac, createSecretKey, KeyObject, timingSafeEqual } from 'node:crypto';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { FaultLog } from '../link/fault-log.js';
import type { RedisClock } from '../link/redis-clock.js';
import { SeenIds } from './seen-ids.js';

/** Characters of a signature: the first 128 bits of HMAC-SHA256, in base64url. */
const SIGNATURE = 22;
/** The longest first line of a sealed message, bytes. */
const LONGEST_STAMP = 80;
/** `#`, which begins no signature. */
const STAMP = 0x23;
/** Milliseconds within which a script has to publish a sealed message, so that it is not too old on arrival. */
const PUBLISH_WITHIN = 5_000;
/** Milliseconds between two lines of the log about wrong signatures. */
const LOG_INTERVAL = 60_000;

/** Messages are signed with the first secret and accepted with each of them; `false` stands for no signature. */
export type Secrets = readonly [string | false, ...(string | false)[]];

/**
 * Signs and verifies messages with the secret that all processes of a cluster share (`cluster.secret`). A sealed message is
 * `<signature>.<sender>.<number>.<time>`, a line feed, and the message. The signature covers the channel and everything after
 * it, so nobody can change a message, publish it on another channel, or publish it again.
 */
export class MessageSeal implements MetricSource {
  /** Null: messages are not signed yet. */
  readonly #key: KeyObject | null;
  readonly #keys: readonly KeyObject[];
  readonly #acceptsUnsigned: boolean;
  readonly #sender: string;
  readonly #seen = new SeenIds();
  readonly #refused = { signature: 0, stale: 0, repeated: 0 };
  #count = 0;
  #loggedAt = -Infinity;

  constructor(
    secrets: Secrets,
    private readonly clock: RedisClock,
    private readonly log: FaultLog,
    private readonly runtime: Runtime,
  ) {
    const keys = secrets.map((secret) => secret && createSecretKey(Buffer.from(secret)));
    this.#key = keys[0] instanceof KeyObject ? keys[0] : null;
    this.#keys = keys.filter((key) => key instanceof KeyObject);
    this.#acceptsUnsigned = secrets.includes(false);
    this.#sender = runtime.randomId(6);
  }

  /** The message as it has to be published on this channel. Receivers accept it once, and for ten seconds. */
  seal(channel: string, message: string): string;
  seal(channel: string, message: string | Buffer): string | Buffer;
  seal(channel: string, message: string | Buffer): string | Buffer {
    if (!this.#key) return message;
    const stamp = `.${this.#sender}.${++this.#count}.${Math.round(this.clock.now())}\n`;
    if (typeof message === 'string') return sign(this.#key, channel, stamp + message) + stamp + message;
    const bytes = Buffer.concat([Buffer.from(stamp), message]);
    return Buffer.concat([Buffer.from(sign(this.#key, channel, bytes)), bytes]);
  }

  /** Whether {@link seal} signs. */
  get isSealing(): boolean {
    return this.#key !== null;
  }

  /** The deadline by which a script has to publish what is sealed now, ms since 1970; `''`: none. */
  get publishUntil(): number | '' {
    return this.#key ? Math.round(this.clock.now()) + PUBLISH_WITHIN : '';
  }

  /** The message that was sealed; null, and counted, when it must not be accepted. */
  open(channel: string, sealed: Buffer): Buffer | null {
    // A line that a script has put before the seal, since it knows the number only then. It is not signed.
    const line = sealed[0] === STAMP ? sealed.indexOf(0x0a) + 1 : 0;
    if (line === 0) return this.#open(channel, sealed);
    const opened = this.#open(channel, sealed.subarray(line));
    return opened && Buffer.concat([sealed.subarray(0, line), opened]);
  }

  /**
   * The message that was sealed at any time, and that may have been opened before, as one that Redis keeps; null, and counted,
   * when its signature is wrong.
   */
  openKept(channel: string, sealed: string): string | null {
    const end = sealed.slice(0, LONGEST_STAMP).indexOf('\n');
    if (end > SIGNATURE && this.#isSigned(channel, Buffer.from(sealed))) return sealed.slice(end + 1);
    if (this.#acceptsUnsigned) return sealed;
    this.#refused.signature++;
    this.#warn();
    return null;
  }

  #open(channel: string, sealed: Buffer): Buffer | null {
    const end = sealed.subarray(0, LONGEST_STAMP).indexOf(0x0a);
    if (end <= SIGNATURE || !this.#isSigned(channel, sealed)) {
      if (this.#acceptsUnsigned) return sealed;
      this.#refused.signature++;
      this.#warn();
      return null;
    }
    const stamp = sealed.toString('latin1', SIGNATURE + 1, end);
    const dot = stamp.lastIndexOf('.');
    const verdict = this.#seen.judge(stamp.slice(0, dot), Number(stamp.slice(dot + 1)), this.clock.now());
    if (verdict === 'new') return sealed.subarray(end + 1);
    this.#refused[verdict]++;
    return null;
  }

  *metrics(): Iterable<WebSocketMetric> {
    for (const [reason, count] of Object.entries(this.#refused)) yield counter('messages_junk', count, { reason });
    yield counter('message_ids_overflow', this.#seen.overflow);
  }

  #isSigned(channel: string, sealed: Buffer): boolean {
    const given = sealed.subarray(0, SIGNATURE);
    const text = sealed.subarray(SIGNATURE);
    return this.#keys.some((key) => timingSafeEqual(given, Buffer.from(sign(key, channel, text))));
  }

  #warn(): void {
    const now = this.runtime.monotonic();
    if (now - this.#loggedAt < LOG_INTERVAL) return;
    this.#loggedAt = now;
    this.log.report(
      'warn',
      'A message came through Redis that is not signed with our cluster.secret, and was dropped: another worker or ' +
        'emitter has another secret or none, or somebody else writes to our channels. Further ones are counted.',
    );
  }
}

/** The line feed separates channel and message unambiguously: names of channels contain none. */
function sign(key: KeyObject, channel: string, text: string | Buffer): string {
  const hmac = createHmac('sha256', key);
  if (typeof text === 'string') hmac.update(`${channel}\n${text}`);
  else hmac.update(`${channel}\n`).update(text);
  return hmac.digest('base64url').slice(0, SIGNATURE);
}
