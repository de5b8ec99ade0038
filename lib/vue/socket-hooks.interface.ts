import type { App, MaybeRefOrGetter, Ref } from 'vue';
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

/** How a component joins its room. */
export interface UseRoomOptions {
  /** The label that the other members see, where the server shows labels. Default: none. */
  readonly username?: MaybeRefOrGetter<string | undefined>;
}

/** Each field of an object as a ref of its own. */
type RefsOf<T> = { readonly [Name in keyof T]: Readonly<Ref<T[Name]>> };

/** A request of a component. */
export interface AskedRequest<Reply> {
  /** The newest answer; undefined before the first one. */
  readonly data: Readonly<Ref<Reply | undefined>>;
  /** Why the newest attempt failed; null otherwise. */
  readonly error: Readonly<Ref<unknown>>;
  /** An answer is waited for. */
  readonly isPending: Readonly<Ref<boolean>>;
  /** Asks again, and shows the old answer until then. Resolves once that is over, whatever came of it. */
  readonly renew: () => Promise<void>;
}

/** What a request carries, behind its names: it may be left out where it can be undefined. */
export type RequestData<Data> = undefined extends Data
  ? [data?: MaybeRefOrGetter<Data>]
  : [data: MaybeRefOrGetter<Data>];

/** The plugin that shares a client, and the composables that use it, typed by a contract. */
export interface SocketHooks<C extends WebSocketContract = WebSocketContract> {
  /**
   * `app.use(socketPlugin, client)` shares a client with all components. It neither connects nor destroys it: that is for
   * who has made it.
   */
  readonly socketPlugin: { readonly install: (app: App, client: WebSocketClient<C>) => void };

  /**
   * Without options: the shared client. With options: makes one for this component and shares it with those below; it
   * connects when the component is mounted and is destroyed with it.
   *
   * @throws Error where no client is shared, without options
   */
  readonly useSocketClient: (options?: WebSocketClientOptions) => WebSocketClient<C>;

  /**
   * How the connection is, and why. `'disconnected'` on a server, and until the component is mounted.
   *
   * @throws Error where no client is shared
   */
  readonly useConnectionState: () => RefsOf<ConnectionState>;

  /**
   * Calls a handler with what the server says under these names, from when the component is mounted until it is unmounted;
   * one that `KeepAlive` keeps goes on. One that throws goes to `events.onError`.
   *
   * @throws Error where no client is shared
   */
  readonly usePush: <Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ) => void;

  /**
   * Is in a room while the component is mounted, or kept by `KeepAlive`; null or undefined is none. Joins are counted: the
   * client leaves the room with the last component. What fails is tried again, see {@link RoomStatus}.
   *
   * @throws Error where no client is shared
   */
  readonly useRoom: (name: MaybeRefOrGetter<string | null | undefined>, options?: UseRoomOptions) => RefsOf<RoomStatus>;

  /**
   * Asks the server when the component is mounted, and again when the data has changed; the answer to older data is not
   * shown. Asks nothing on a server.
   *
   * @throws Error where no client is shared
   */
  readonly useRequest: <Type extends RouteType<C>, Action extends RouteAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: RequestData<RouteData<C, Type, Action>>
  ) => AskedRequest<RouteReply<C, Type, Action>>;
}
