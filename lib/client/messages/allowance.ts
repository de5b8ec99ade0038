import type { WelcomeLimits } from '../../protocol/welcome-terms.js';
import type { EncryptedSocket } from '../client-encryption.interface.js';
import { badMessage } from './client-message.js';
import type { ResolvedClientOptions } from '../options/client-options.js';
import type { ClientRuntime } from '../options/client-runtime.js';
import type { WebSocketClientError } from '../websocket-client.error.js';

/** How much the server takes of one connection: how large frames may be, and how many of them may leave now. */
export interface Allowance {
  /** How many milliseconds to wait until another frame may leave; 0 or less: none. */
  wait(): number;
  /** Counts a frame that leaves. */
  count(): void;
  /** The bytes of a text as it leaves: in UTF-8, encrypted where frames are. */
  sizeOf(text: string): number;
  /** The BAD_MESSAGE for the text of a frame that the server would not take; undefined for any other. */
  refusalOf(text: string): WebSocketClientError | undefined;
}

/** What a welcome allows; without limits in it, everything. */
export function allowanceOf(
  { limits: { maxPayload, messagesPerSecond, burst } = {} }: { readonly limits?: Partial<WelcomeLimits> | undefined },
  { tokenTo }: ResolvedClientOptions,
  runtime: ClientRuntime,
  encrypted?: EncryptedSocket,
): Allowance {
  /** How much of the announced rate is used, since clocks differ. */
  const share = 0.9;
  /** Milliseconds from one frame to the next; 0 without a limit. */
  const interval = messagesPerSecond ? 1_000 / share / messagesPerSecond : 0;
  /** When everything that has left would have left, one frame in each interval. The credentials came before the welcome. */
  let used = tokenTo === 'message' ? runtime.now() + interval : 0;
  const sizeOf = (text: string): number => {
    const { length } = new TextEncoder().encode(text);
    return encrypted?.sizeOf(length) ?? length;
  };
  return {
    // Half of the burst is left for what was sent evenly and arrives in a bunch, behind a stall on the way.
    wait: () => Math.ceil(used - runtime.now() - (((burst ?? 1) - 1) / 2) * interval),
    count: () => {
      used = Math.max(used, runtime.now()) + interval;
    },
    sizeOf,
    refusalOf: (text) =>
      maxPayload && sizeOf(text) > maxPayload
        ? badMessage(`The message has ${sizeOf(text)} bytes, the server takes ${maxPayload}.`)
        : undefined,
  };
}
