import type { WelcomeLimits } from '../../protocol/welcome-terms.js';
import type { EncryptedSocket } from '../client-encryption.interface.js';
import { badMessage } from './client-message.js';
import type { ResolvedClientOptions } from '../options/client-options.js';
import type { ClientRuntime } from '../options/client-runtime.js';
import type { WebSocketClientError } from '../websocket-client.error.js';

/** What the server accepts from one connection: the size of frames, and their rate. */
export interface Allowance {
  /** The wait until another frame may be sent, in ms; 0 or less: none. */
  wait(): number;
  /** Counts a frame that is sent. */
  count(): void;
  /** The bytes of a text as it is sent: in UTF-8, and encrypted if frames are. */
  sizeOf(text: string): number;
  /** The error BAD_MESSAGE for a text that is too large for the server; undefined otherwise. */
  refusalOf(text: string): WebSocketClientError | undefined;
}

/** The allowance of a welcome. Without limits in the welcome everything is allowed. */
export function allowanceOf(
  { limits: { maxPayload, messagesPerSecond, burst } = {} }: { readonly limits?: Partial<WelcomeLimits> | undefined },
  { tokenTo }: ResolvedClientOptions,
  runtime: ClientRuntime,
  encrypted?: EncryptedSocket,
): Allowance {
  /** The part of the announced rate that is used, since clocks differ. */
  const share = 0.9;
  /** The time from one frame to the next, in ms; 0 without a limit. */
  const interval = messagesPerSecond ? 1_000 / share / messagesPerSecond : 0;
  /** The time up to which the rate is used: each frame uses one interval. Credentials by message have used the first one. */
  let used = tokenTo === 'message' ? runtime.now() + interval : 0;
  const sizeOf = (text: string): number => {
    const { length } = new TextEncoder().encode(text);
    return encrypted?.sizeOf(length) ?? length;
  };
  return {
    // Half of the burst is kept for frames that were sent evenly and arrive together, after a stall of the network.
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
