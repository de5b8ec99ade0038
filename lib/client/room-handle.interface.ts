import type { PushAction, PushData, PushType, WebSocketContract } from '../protocol/contract.js';
import type { WsRoomLeftReason } from '../protocol/presence.js';
import type { Unsubscribe } from './listeners.js';
import type { PushedMessage } from './messages/handlers.interface.js';
import type { RoomPresence } from './room-presence.interface.js';
import type { RoomRecovery } from './room-recovery.interface.js';
import type { JoinedRoom, JoinOptions } from './room-joins.interface.js';

/** How a client joins a room for a {@link RoomHandle}. */
export interface RoomOptions extends Pick<JoinOptions, 'username' | 'history' | 'since' | 'state'> {
  /**
   * Called when the server did not let the client into the room again after a reconnect, as `events.onRoomRefused` is. The
   * handle has no effect any more then.
   */
  onRefused?: ((error: unknown) => void) | undefined;
  /** Called for this room as `events.onRecovered` is. */
  onRecovered?: ((recovery: RoomRecovery) => unknown) | undefined;
  /** Called when the server takes the client out of the room, as `events.onRoomLeft` is. The handle has no effect any more then. */
  onLeft?: ((reason: WsRoomLeftReason) => unknown) | undefined;
}

/** One join of a room with its handlers: `client.room('tea')`. */
export interface RoomHandle<C extends WebSocketContract = WebSocketContract> {
  /** Resolves when the client is in the room; rejects as `join()` does. It may be left unawaited. */
  readonly joined: Promise<JoinedRoom>;
  /** Who is in the room: the same object as `client.presence()` of this room. */
  readonly members: RoomPresence;
  /** Ends this join and its handlers. The client leaves the room with the last join; a second call does nothing. */
  leave(): Promise<void>;
  /**
   * Calls a handler as `on()` of the client does, but only with messages that were sent to this room.
   *
   * @returns a function that removes the handler
   * @throws WebSocketClientError BAD_OPTION after `leave()`, and when the server does not name rooms (its option `rooms.named`)
   * and the room has no history. Before the join is answered this is unknown: then the error goes to `events.onError`.
   */
  on<Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ): Unsubscribe;
}
