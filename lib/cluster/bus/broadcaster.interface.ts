import type { WsUserInterest } from '../../clients/user-interest.interface.js';
import type { WsRoomStore } from '../../history/room-store.interface.js';
import type { WsRoomInterest } from '../../rooms/room-interest.interface.js';
import type { WsEnvelope, WsReceivedEnvelope } from './envelope.js';

/** The token of the {@link WsBroadcaster} that the module works with. */
export const PXL_WS_BROADCASTER = Symbol('PXL_WS_BROADCASTER');

/** Takes the envelopes of other workers. Never throws. */
export type WsReceiver = (envelope: WsReceivedEnvelope) => void;

/** The state of the connection to the bus. */
export interface WsBusHealth {
  readonly connected: boolean;
  /** Milliseconds that the last probe took to the bus and back; null: none has come back yet. */
  readonly probeMs: number | null;
  /** The last error of the connection; null when there is none. */
  readonly lastError: string | null;
  /** Whether the bus works but refuses or loses something that this worker needs; {@link lastError} says what. */
  readonly isLimited?: boolean;
}

/**
 * The bus between the workers of a cluster. A worker receives envelopes for everybody, for itself and its own clients, and
 * for the rooms, users and event channels that it has acquired. Delivery is at most once.
 *
 * `acquireRoom` rejects with UNAVAILABLE or TIMEOUT when the room cannot be made live; `acquireUser` never rejects.
 *
 * The methods of {@link WsRoomStore} are needed for `rooms.history` only.
 */
export interface WsBroadcaster extends WsRoomInterest, WsUserInterest, Partial<WsRoomStore> {
  /**
   * Connects; resolves once other workers can be reached, or after a time limit, after which connecting goes on in the
   * background. Envelopes of other workers go to `receive` from now on.
   */
  start(receive: WsReceiver): Promise<void>;
  /**
   * Sends an envelope to the other workers; the sender delivers to its own clients by itself.
   *
   * @throws WsError UNAVAILABLE when the bus is down; the envelope is not delivered later
   */
  publish(envelope: WsEnvelope): Promise<void>;
  /** Receives the events of a channel from the moment the promise resolves (undefined: at once) to the end. Never rejects. */
  acquireEvents(channel: string): Promise<void> | undefined;
  /** Receives the events of all channels, as {@link acquireEvents} does those of one. */
  acquireAllEvents(): Promise<void> | undefined;
  /** True when there are no other workers and never will be, so that nothing has to be sent. Default: false. */
  readonly isAlone?: boolean;
  /** Whether other workers can be reached. */
  readonly isReady: boolean;
  /** The state of the connection, for `getWebSocketHealth()`. */
  readonly health: WsBusHealth;
  /** Registers a listener that is called each time {@link isReady} changes. */
  onChange(changed: (isReady: boolean) => void): void;
  /**
   * Replaces the connections. Called when live workers do not answer although {@link isReady} is true. Without this method
   * nothing is done in that case.
   */
  renew?(why: Error): void;
  /** Closes the connections; settles even when the bus is down. */
  stop(): Promise<void>;
}
