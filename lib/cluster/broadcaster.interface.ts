import type { RoomInterest } from '../rooms/room-interest.interface.js';
import type { Envelope } from './envelope.js';

/** The token of the {@link Broadcaster} that the module works with. */
export const PXL_WS_BROADCASTER = Symbol('PXL_WS_BROADCASTER');

/** Delivers an envelope to the clients of this worker. */
export type Receiver = (envelope: Envelope) => void;

/**
 * The bus between the workers of a cluster. A worker hears what is for everybody, for its own clients, and for the rooms
 * and users that it has asked for.
 */
export interface Broadcaster extends RoomInterest {
  /** Connects. Envelopes of other workers go to `receive` from now on. */
  start(receive: Receiver): Promise<void>;
  /**
   * Sends an envelope to the other workers; the sender's own clients are not its business.
   *
   * @throws WsError UNAVAILABLE when the bus is down
   */
  publish(envelope: Envelope): Promise<void>;
  /** Whether other workers can be reached. */
  readonly isReady: boolean;
  /** Leaves the cluster; settles even when the bus is down. */
  stop(): Promise<void>;
}
