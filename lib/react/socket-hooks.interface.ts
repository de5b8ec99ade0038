import type { ReactElement, ReactNode } from 'react';
import type {
  PresentMembers,
  PushAction,
  PushData,
  PushedMessage,
  PushType,
  RoomRecovery,
  RouteAction,
  RouteData,
  RouteReply,
  RouteType,
  WebSocketClient,
  WebSocketClientOptions,
  WebSocketContract,
} from '../client/index.js';
import type { ConnectionState } from '../hooks/connection-state.js';
import type { RoomStatus } from '../hooks/room-stay.js';
import type { DataArgument } from '../protocol/contract.js';

/** The props of `SocketProvider`. */
export interface SocketProviderProps<C extends WebSocketContract = WebSocketContract> {
  readonly client: WebSocketClient<C>;
  readonly children?: ReactNode;
}

/** How a component joins a room. */
export interface UseRoomOptions {
  /** The label that the other members see, where the server shows labels. Default: none. */
  readonly username?: string | undefined;
  /** How many of the latest messages a newcomer gets of a room with history. Default: 0. */
  readonly history?: number | undefined;
  /**
   * Called when the client has come back to a room with history, or messages of it were lost, as `events.onRecovered` is. The
   * function of the newest render is called.
   */
  readonly onRecovered?: ((recovery: RoomRecovery) => unknown) | undefined;
}

/** Who is in the room of a component. */
export interface UsedPresence extends PresentMembers, RoomStatus {
  /** Sets what the other members see of the client, as `client.setPresence()` does. The same function for one room. */
  readonly setState: (state: unknown) => Promise<void>;
}

/** A request of a component. */
export interface AskedRequest<Reply> {
  /** The promise of the answer, the same in each render, for `use()`. It rejects as that of `WebSocketClient.request()`. */
  readonly promise: Promise<Reply>;
  /** Asks again for all components that show this request. Within a transition they show the old answer until then. */
  readonly renew: () => void;
}

/** The provider of a client and the hooks that use it, typed by a contract. */
export interface SocketHooks<C extends WebSocketContract = WebSocketContract> {
  /**
   * Shares a client with all components below. It neither connects nor destroys the client: whoever created it does, for
   * example `useSocketClient(options)`.
   */
  readonly SocketProvider: (props: SocketProviderProps<C>) => ReactElement;

  /**
   * Without options: the client of the provider. With options: a new client for this component, which connects when the
   * component is mounted and is destroyed when it is unmounted. A change of `url` creates another client; changes of other
   * options have no effect.
   *
   * @throws Error outside a provider, without options
   */
  readonly useSocketClient: (options?: WebSocketClientOptions) => WebSocketClient<C>;

  /**
   * The state of the connection, and the reason for it. `'disconnected'` on a server.
   *
   * @throws Error outside a provider
   */
  readonly useConnectionState: () => ConnectionState;

  /**
   * Calls a handler with each push of this name while the component is mounted. The handler of the newest render is called,
   * so it need not be the same function each time. What it throws goes to `events.onError`.
   *
   * @throws Error outside a provider
   */
  readonly usePush: <Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ) => void;

  /**
   * Keeps the client in a room while the component is mounted; null or undefined means no room. Joins are counted: the client
   * leaves the room with the last component. A failed join is tried again, see {@link RoomStatus}.
   *
   * @throws Error outside a provider
   */
  readonly useRoom: (name: string | null | undefined, options?: UseRoomOptions) => RoomStatus;

  /**
   * Keeps the client in a room as {@link useRoom} does, and shows who is there, in rooms with presence. `members` is the same array
   * until one of them changes.
   *
   * @throws Error outside a provider
   */
  readonly usePresence: (name: string | null | undefined, options?: UseRoomOptions) => UsedPresence;

  /**
   * Sends a request once for all components that ask for the same, and keeps the answer for `use()` while one of them is
   * mounted. It asks in the browser only: on a server the promise rejects, so that `<Suspense>` shows its fallback.
   *
   * @throws Error outside a provider
   */
  readonly useRequest: <Type extends RouteType<C>, Action extends RouteAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: DataArgument<RouteData<C, Type, Action>>
  ) => AskedRequest<RouteReply<C, Type, Action>>;
}
