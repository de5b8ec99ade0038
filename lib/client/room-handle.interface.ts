import type { PushAction, PushData, PushType, WebSocketContract } from '../protocol/contract.js';
import type { Unsubscribe } from './listeners.js';
import type { PushedMessage } from './messages/handlers.interface.js';
import type { JoinedRoom, JoinOptions } from './rooms.js';

/** How a client joins a room for a {@link RoomHandle}. */
export interface RoomOptions extends Pick<JoinOptions, 'username'> {
  /**
   * Called when the server has not let the client into the room again after a reconnect; `events.onRoomRefused` hears it
   * too. The handle then holds nothing any more.
   */
  onRefused?: ((error: unknown) => void) | undefined;
}

/** One join of a room, and who listens there: `client.room('tea')`. */
export interface RoomHandle<C extends WebSocketContract = WebSocketContract> {
  /** Resolves once the client is in the room; rejects as `join()` does. Nobody has to wait for it. */
  readonly joined: Promise<JoinedRoom>;
  /** Takes this join back, and ends the handlers. The room is left with the last of its joins; a second call changes nothing. */
  leave(): Promise<void>;
  /**
   * Calls a handler as `on()` of the client, with those messages only that were sent to this room.
   *
   * @returns what takes the handler away again
   * @throws WebSocketClientError BAD_OPTION where the server does not name rooms, which its option `rooms.named` changes,
   * and after `leave()`. Until the server has answered `connect()` it is not known: then `events.onError` hears it.
   */
  on<Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ): Unsubscribe;
}
