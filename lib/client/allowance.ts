import type { EncryptedSocket } from './client-encryption.interface.js';
import { badMessage } from './client-message.js';
import type { ResolvedClientOptions } from './client-options.js';
import type { ClientRuntime } from './client-runtime.js';
import type { Welcome } from './welcome.js';

/** How much of the announced rate is used: clocks differ, and what was sent evenly arrives in bunches. */
const SHARE = 0.9;

/** How much the server takes of one connection: how large frames may be, and how many of them may leave now. */
export interface Allowance {
  /** How many milliseconds to wait until another frame may leave; 0 or less: none. */
  wait(): number;
  /** Counts a frame that leaves. */
  count(): void;
  /** The bytes of a frame as it leaves, of so many bytes in clear. */
  sizeOf(bytes: number): number;
  /** @throws WebSocketClientError BAD_MESSAGE for the text of a frame that the server would not take */
  check(text: string): void;
}

/** What a welcome allows; without limits in it, everything. */
export function allowanceOf(
  { limits }: Partial<Welcome>,
  { tokenTo }: ResolvedClientOptions,
  runtime: ClientRuntime,
  encrypted?: EncryptedSocket,
): Allowance {
  const { maxPayload, messagesPerSecond, burst } = limits ?? {};
  /** Milliseconds from one frame to the next; 0 without a limit. */
  const interval = messagesPerSecond ? 1_000 / SHARE / messagesPerSecond : 0;
  /** When everything that has left would have left, one frame in each interval. The credentials came before the welcome. */
  let used = tokenTo === 'message' ? runtime.now() + interval : 0;
  const sizeOf = (bytes: number): number => encrypted?.sizeOf(bytes) ?? bytes;
  return {
    wait: () => Math.ceil(used - runtime.now() - ((burst ?? 1) * SHARE - 1) * interval),
    count: () => {
      used = Math.max(used, runtime.now()) + interval;
    },
    sizeOf,
    check: (text) => {
      // No character has more than three bytes: most texts need not be counted.
      if (!maxPayload || sizeOf(text.length * 3) <= maxPayload) return;
      const size = sizeOf(bytesOf(text));
      if (size > maxPayload) throw badMessage(`The message has ${size} bytes, the server takes ${maxPayload}.`);
    },
  };
}

/** How many bytes a text has in UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
