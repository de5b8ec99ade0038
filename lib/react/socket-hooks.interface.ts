import type { ReactElement, ReactNode } from 'react';
import type {
  PushAction,
  PushData,
  PushedMessage,
  PushType,
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

/** What `SocketProvider` takes. */
export interface SocketProviderProps<C extends WebSocketContract = WebSocketContract> {
  readonly client: WebSocketClient<C>;
  readonly children?: ReactNode;
}

/** How a component joins its room. */
export interface UseRoomOptions {
  /** The label that the other members see, where the server shows labels. Default: none. */
  readonly username?: string | undefined;
}

/** A request of a component. */
export interface AskedRequest<Reply> {
  /** The answer: the same promise in each render, for `use()`. It rejects as `WebSocketClient.request()` does. */
  readonly promise: Promise<Reply>;
  /** Asks again, for all components that show this request; in a transition these show the old answer until then. */
  readonly renew: () => void;
}

/** The provider of a client and the hooks that use it, typed by a contract. */
export interface SocketHooks<C extends WebSocketContract = WebSocketContract> {
  /**
   * Shares a client with all components below. It neither connects nor destroys it: that is for who has made it, as
   * `useSocketClient(options)` does.
   */
  readonly SocketProvider: (props: SocketProviderProps<C>) => ReactElement;

  /**
   * Without options: the client of the provider. With options: a client of this component's own, which connects when the
   * component is mounted and is destroyed when that is unmounted; another `url` makes another one, all other options are
   * read when it is made.
   *
   * @throws Error outside a provider, without options
   */
  readonly useSocketClient: (options?: WebSocketClientOptions) => WebSocketClient<C>;

  /**
   * How the connection is, and why: the same object while nothing has changed. `'disconnected'` on a server.
   *
   * @throws Error outside a provider
   */
  readonly useConnectionState: () => ConnectionState;

  /**
   * Calls a handler with what the server says under these names while the component is mounted: always the newest one
   * that was rendered, which need not be the same function each time. One that throws goes to `events.onError`.
   *
   * @throws Error outside a provider
   */
  readonly usePush: <Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ) => void;

  /**
   * Is in a room while the component is mounted; null or undefined is none. Joins are counted: the client leaves the room
   * with the last component. What fails is tried again, see {@link RoomStatus}.
   *
   * @throws Error outside a provider
   */
  readonly useRoom: (name: string | null | undefined, options?: UseRoomOptions) => RoomStatus;

  /**
   * Asks the server once for all components that ask the same, and keeps the answer for `use()` as long as one of them is
   * mounted. Asks in the browser only: on a server the promise rejects, so that `<Suspense>` shows its fallback.
   *
   * @throws Error outside a provider
   */
  readonly useRequest: <Type extends RouteType<C>, Action extends RouteAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: DataArgument<RouteData<C, Type, Action>>
  ) => AskedRequest<RouteReply<C, Type, Action>>;
}
