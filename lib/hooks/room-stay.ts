import type { RoomHandle, Unsubscribe, WebSocketClient, WebSocketContract } from '../client/index.js';

/** Whether a component is in its room. */
export interface RoomStatus {
  /** The server has let the client in. It stays true over a reconnect, since the client joins again by itself, and ends with `disconnect()`. */
  readonly joined: boolean;
  /** Why the last attempt to join failed; null while an attempt is under way. */
  readonly error: unknown;
}

/** The status without membership and without an error. */
export const OUTSIDE: RoomStatus = { joined: false, error: null };
const JOINED: RoomStatus = { joined: true, error: null };

/** How long a failed join that is retryable waits for its next attempt, in ms. */
const RETRY = 3_000;

/**
 * Joins a room for one component and reports the status. A failed join is tried again on each new connection, and on the
 * same connection when the error is retryable.
 *
 * @returns a function that leaves the room. A component that is mounted again in the same turn is still in the room.
 */
export function stayInRoom<C extends WebSocketContract>(
  client: WebSocketClient<C>,
  name: string,
  username: string | undefined,
  tell: (status: RoomStatus) => void,
): Unsubscribe {
  let room: RoomHandle<C> | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const enter = (): void => {
    const entered = client.room(name, { username, onRefused: (error) => refused(entered, error) });
    room = entered;
    entered.joined.then(
      () => {
        if (room === entered) tell(JOINED);
      },
      (error: unknown) => refused(entered, error),
    );
  };
  const refused = (entered: RoomHandle<C>, error: unknown): void => {
    if (room !== entered) return;
    room = null;
    const isRetryable = error instanceof Error && 'retryable' in error && error.retryable === true;
    const isConnected = client.isClientConnected();
    // While there is no connection, its state says enough.
    tell(isRetryable && !isConnected ? OUTSIDE : { joined: false, error });
    if (isRetryable && isConnected) retry = setTimeout(enter, RETRY);
  };
  const leave = (): void => {
    clearTimeout(retry);
    const last = room;
    room = null;
    queueMicrotask(() => void last?.leave().catch(() => undefined));
  };
  const stopListening = client.onState(({ state }) => {
    clearTimeout(retry);
    if (state === 'disconnected') {
      // The next session may belong to another user, so the client forgets its rooms.
      leave();
      tell(OUTSIDE);
    } else if (state !== 'reconnecting' && !room) enter();
  });
  // The join is asked for at once, without a connection too, so that it precedes everything that is sent later.
  enter();
  return () => {
    stopListening();
    leave();
  };
}
