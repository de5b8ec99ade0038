import type { UserInterest } from '../../clients/user-interest.interface.js';
import type { RoomInterest } from '../../rooms/room-interest.interface.js';
import type { WsEnvelope, WsReceivedEnvelope } from './envelope.js';

/** The token of the {@link Broadcaster} that the module works with. */
export const PXL_WS_BROADCASTER = Symbol('PXL_WS_BROADCASTER');

/** Takes what other workers send. Never throws. */
export type WsReceiver = (envelope: WsReceivedEnvelope) => void;

/** How the connection to the bus is. */
export interface BusHealth {
  readonly connected: boolean;
  /** Milliseconds that the last probe took on its way to the bus and back; null: none has come back yet. */
  readonly probeMs: number | null;
  /** What the connection failed with last. */
  readonly lastError: string | null;
  /** Whether it works, and yet refuses or loses something that this worker needs: {@link lastError} says what. */
  readonly isLimited?: boolean;
}

/**
 * The bus between the workers of a cluster. A worker hears what is for everybody, what is for itself and its own clients,
 * and what is for the rooms, users and channels of events that it has asked for. Delivery is at most once.
 *
 * `acquireRoom` rejects with UNAVAILABLE or TIMEOUT when the room cannot be made live; `acquireUser` never rejects.
 */
export interface Broadcaster extends RoomInterest, UserInterest {
  /**
   * Connects, and resolves once other workers can be reached, or when that takes too long: it goes on by itself then.
   * Envelopes of other workers go to `receive` from now on.
   */
  start(receive: WsReceiver): Promise<void>;
  /**
   * Sends an envelope to the other workers; the sender's own clients are not its business.
   *
   * @throws WsError UNAVAILABLE when the bus is down; it is not delivered later then
   */
  publish(envelope: WsEnvelope): Promise<void>;
  /** Hears the events of a channel until the end, from the moment the promise resolves. Never rejects. */
  acquireEvents(channel: string): Promise<void> | undefined;
  /** Hears the events of all channels. */
  acquireAllEvents(): Promise<void> | undefined;
  /** True: there are no other workers, and never will be, so that nothing has to be written for them. */
  readonly isAlone?: boolean;
  /** Whether other workers can be reached. */
  readonly isReady: boolean;
  /** How the connection is, for `getWebSocketHealth()`. */
  readonly health: BusHealth;
  /** Calls back each time that {@link isReady} changes. */
  onChange(changed: (isReady: boolean) => void): void;
  /**
   * Connects anew: other workers live and hear nothing of this one, or it nothing of them, though {@link isReady} is true.
   * Left out: it heals by itself, if at all.
   */
  renew?(why: Error): void;
  /** Leaves the cluster; settles even when the bus is down. */
  stop(): Promise<void>;
}
