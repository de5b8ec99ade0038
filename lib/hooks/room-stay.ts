import type {
  RoomHandle,
  RoomOptions,
  Unsubscribe,
  WebSocketClient,
  WebSocketContract,
  WsRoomLeftReason,
} from '../client/index.js';

/** Whether a component is in its room. */
export interface RoomStatus {
  /** The server has let the client in. It stays true over a reconnect, since the client joins again by itself, and ends with `disconnect()`. */
  readonly joined: boolean;
  /** Why the last attempt to join failed; null while an attempt is under way. */
  readonly error: unknown;
  /**
   * In a room with history: false when messages were lost, so that the room's state has to be loaded anew; true again after a
   * return that brought everything.
   */
  readonly recovered: boolean;
  /** Why the server has taken the client out of the room; null: it has not. The component does not join it again by itself. */
  readonly left: WsRoomLeftReason | null;
}

/** What a component wants of a room with history. */
export type HistoryWish = Pick<RoomOptions, 'history' | 'onRecovered'>;

/** The status without membership and without an error. */
export const OUTSIDE: RoomStatus = { joined: false, error: null, recovered: true, left: null };

/** How long a failed join that is retryable waits for its next attempt, in ms. */
const RETRY = 3_000;

/**
 * Joins a room for one component and reports the status. A failed join is tried again on each new connection, and on the
 * same connection when the error is retryable.
 *
 * @param wish returns what the component wants now
 * @returns a function that leaves the room. A component that is mounted again in the same turn is still in the room.
 */
export function stayInRoom<C extends WebSocketContract>(
  client: WebSocketClient<C>,
  name: string,
  username: string | undefined,
  wish: () => HistoryWish,
  tell: (status: RoomStatus) => void,
): Unsubscribe {
  let status = OUTSIDE;
  const change = (part: Partial<RoomStatus>): void => tell((status = { ...status, ...part }));
  let room: RoomHandle<C> | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  const enter = (): void => {
    const entered = client.room(name, {
      username,
      history: wish().history,
      onRefused: (error) => refused(entered, error),
      onLeft: (left) => change({ joined: false, left }),
      onRecovered: (recovery) => {
        const { recovered } = recovery;
        if (recovered !== status.recovered) change({ recovered });
        return wish().onRecovered?.(recovery);
      },
    });
    room = entered;
    entered.joined.then(
      () => {
        // The answer may come in one piece with the push that the client is out again.
        if (room === entered && !status.left) change({ joined: true, error: null });
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
    change({ joined: false, error: isRetryable && !isConnected ? null : error });
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
      change(OUTSIDE);
    } else if (state !== 'reconnecting' && !room) enter();
  });
  // The join is asked for at once, without a connection too, so that it precedes everything that is sent later.
  enter();
  return () => {
    stopListening();
    leave();
  };
}
