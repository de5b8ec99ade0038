import type { ConnectionServices } from './connection.js';
import { badMessage, encodeMessage } from './client-message.js';
import type { Welcome, WelcomeLimits } from './welcome.js';

/** How much of the announced rate is used: clocks differ, and what was sent evenly arrives in bunches. */
const SHARE = 0.9;
/** What an encrypted frame's counter and tag add to the bytes of its text. */
const SEAL = 24;

/** How much the server takes of one connection: how large frames may be, and how many of them may leave now. */
export class Allowance {
  readonly #limits: Partial<WelcomeLimits>;
  readonly #services: ConnectionServices;
  /** Milliseconds from one frame to the next; 0 without a limit. */
  readonly #interval: number;
  /** How many intervals may be used ahead of time. */
  readonly #ahead: number;
  /** The length of the frame around an encrypted one; undefined where frames are not encrypted. */
  readonly #around: number | undefined;
  /** When everything that has left would have left, one frame in each interval. */
  #used = 0;

  constructor({ limits }: Partial<Welcome>, services: ConnectionServices) {
    this.#limits = limits ?? {};
    this.#services = services;
    const { messagesPerSecond, burst } = this.#limits;
    this.#interval = messagesPerSecond ? 1_000 / SHARE / messagesPerSecond : 0;
    this.#ahead = (burst ?? 1) * SHARE - 1;
    const { codec, encryption, tokenTo } = services.options;
    if (encryption) this.#around = encodeMessage({ type: codec.ownType, action: 'encrypted', data: '' }, codec).length;
    // The credentials came before the welcome.
    if (tokenTo === 'message') this.count();
  }

  /** Bytes that one frame may have; undefined where the server has told of no limits. */
  get maxPayload(): number | undefined {
    return this.#limits.maxPayload;
  }

  /** How many milliseconds to wait until another frame may leave; 0 or less: none. */
  get wait(): number {
    return Math.ceil(this.#used - this.#services.runtime.now() - this.#ahead * this.#interval);
  }

  /** Counts a frame that leaves. */
  count(): void {
    this.#used = Math.max(this.#used, this.#services.runtime.now()) + this.#interval;
  }

  /** The bytes of a frame as it leaves, of so many bytes in clear. */
  sizeOf(bytes: number): number {
    return this.#around === undefined ? bytes : this.#around + Math.ceil(((bytes + SEAL) * 4) / 3);
  }

  /** @throws WebSocketClientError BAD_MESSAGE for the text of a frame that the server would not take */
  check(text: string): void {
    const limit = this.maxPayload;
    // No character has more than three bytes: most texts need not be counted.
    if (limit === undefined || this.sizeOf(text.length * 3) <= limit) return;
    const size = this.sizeOf(bytesOf(text));
    if (size > limit) throw badMessage(`The message has ${size} bytes, the server takes ${limit}.`);
  }
}

/** How many bytes a text has in UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
