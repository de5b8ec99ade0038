import type { RoomHandle, Unsubscribe, WebSocketClient, WebSocketContract } from '../client/index.js';

/** Whether a component is in its room. */
export interface RoomStatus {
  /** The server has let the client in. It stays true over a reconnect, since the client joins again by itself, and ends with `disconnect()`. */
  readonly joined: boolean;
  /** Why it is not in the room, as far as the last attempt told; null while it is under way. */
  readonly error: unknown;
}

/** Neither in the room nor refused. */
export const OUTSIDE: RoomStatus = { joined: false, error: null };
const JOINED: RoomStatus = { joined: true, error: null };

/** The wait before a join is tried again that may succeed later, in ms. */
const RETRY = 3_000;

/**
 * Joins a room for one component, and tells how that stands. What failed is tried again on each new connection, and on this
 * one where the error is retryable.
 *
 * @returns what leaves the room; a component that is back in the same turn finds it joined
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
    // Without a connection there is nothing to say but that.
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
      // The next session may be another user's, whose rooms the client does not join by itself.
      leave();
      tell(OUTSIDE);
    } else if (state !== 'reconnecting' && !room) enter();
  });
  // At once, though there may be no connection yet: what is sent from now on finds the client in the room.
  enter();
  return () => {
    stopListening();
    leave();
  };
}
