import { createHmac, createSecretKey, KeyObject, timingSafeEqual } from 'node:crypto';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { FaultLog } from '../link/fault-log.js';
import type { RedisClock } from '../link/redis-clock.js';
import { SeenIds } from './seen-ids.js';

/** Characters of a signature: the first 128 bits of HMAC-SHA256, in base64url. */
const SIGNATURE = 22;
/** Bytes within which the first line of a sealed message ends. */
const LONGEST_STAMP = 80;
/** Milliseconds that Redis has to publish what was sealed for a script, so that it is not too old when it is heard. */
const PUNCTUALITY = 5_000;
/** Milliseconds between two lines of the log about messages with a wrong signature. */
const SILENCE = 60_000;

/** The first one signs, each of them is believed; `false` stands for messages without a signature. */
export type Secrets = readonly [string | false, ...(string | false)[]];

/**
 * What goes through Redis, signed with the secret that all processes of a cluster share (`cluster.secret`):
 * `<signature>.<sender>.<number>.<time>`, a line feed, the message. The signature covers the channel and all that stands
 * behind it, so that nobody can change a message, publish it on another channel, or publish it again.
 */
export class MessageSeal implements MetricSource {
  /** Null: nothing is signed yet. */
  readonly #key: KeyObject | null;
  readonly #keys: readonly KeyObject[];
  readonly #believesUnsigned: boolean;
  readonly #sender: string;
  readonly #seen = new SeenIds();
  readonly #refused = { signature: 0, stale: 0, repeated: 0 };
  #count = 0;
  #saidAt = -Infinity;

  constructor(
    secrets: Secrets,
    private readonly clock: RedisClock,
    private readonly log: FaultLog,
    private readonly runtime: Runtime,
  ) {
    const keys = secrets.map((secret) => secret && createSecretKey(Buffer.from(secret)));
    this.#key = keys[0] instanceof KeyObject ? keys[0] : null;
    this.#keys = keys.filter((key) => key instanceof KeyObject);
    this.#believesUnsigned = secrets.includes(false);
    this.#sender = runtime.randomId(6);
  }

  /** What to publish on the channel, and on no other. It is taken for ten seconds, and once. */
  seal(channel: string, message: string): string;
  seal(channel: string, message: string | Buffer): string | Buffer;
  seal(channel: string, message: string | Buffer): string | Buffer {
    if (!this.#key) return message;
    const stamp = `.${this.#sender}.${++this.#count}.${Math.round(this.clock.now())}\n`;
    if (typeof message === 'string') return sign(this.#key, channel, stamp + message) + stamp + message;
    const bytes = Buffer.concat([Buffer.from(stamp), message]);
    return Buffer.concat([Buffer.from(sign(this.#key, channel, bytes)), bytes]);
  }

  /** Until when Redis may publish what is sealed now, in ms since 1970; `''`: without an end. */
  get punctualUntil(): number | '' {
    return this.#key ? Math.round(this.clock.now()) + PUNCTUALITY : '';
  }

  /** The message that was sealed; null, and counted, where it must not be taken. */
  open(channel: string, sealed: Buffer): Buffer | null {
    const end = sealed.subarray(0, LONGEST_STAMP).indexOf(0x0a);
    if (end <= SIGNATURE || !this.#isSigned(channel, sealed)) {
      if (this.#believesUnsigned) return sealed;
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
    if (now - this.#saidAt < SILENCE) return;
    this.#saidAt = now;
    this.log.report(
      'warn',
      'A message came through Redis that is not signed with our cluster.secret, and was dropped: another worker or ' +
        'emitter has another secret or none, or somebody else writes to our channels. Further ones are counted.',
    );
  }
}

/** Names of channels hold no line feed. */
function sign(key: KeyObject, channel: string, text: string | Buffer): string {
  const hmac = createHmac('sha256', key);
  if (typeof text === 'string') hmac.update(`${channel}\n${text}`);
  else hmac.update(`${channel}\n`).update(text);
  return hmac.digest('base64url').slice(0, SIGNATURE);
}
