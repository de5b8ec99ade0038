import type { App, MaybeRefOrGetter, Ref } from 'vue';
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

/** How a component joins a room. */
export interface UseRoomOptions {
  /** The label that the other members see, where the server shows labels. Default: none. */
  readonly username?: MaybeRefOrGetter<string | undefined>;
  /** How many of the latest messages a newcomer gets of a room with history. Default: 0. */
  readonly history?: number | undefined;
  /** Called when the client has come back to a room with history, or messages of it were lost, as `events.onRecovered` is. */
  readonly onRecovered?: ((recovery: RoomRecovery) => unknown) | undefined;
}

/** The fields of an object, each as a ref. */
export type RefsOf<T> = { readonly [Name in keyof T]: Readonly<Ref<T[Name]>> };

/** Who is in the room of a component. */
export interface UsedPresence extends RefsOf<PresentMembers>, RefsOf<RoomStatus> {
  /** Sets what the other members see of the client, as `client.setPresence()` does. */
  readonly setState: (state: unknown) => Promise<void>;
}

/** A request of a component. */
export interface AskedRequest<Reply> {
  /** The latest answer; undefined before the first one. */
  readonly data: Readonly<Ref<Reply | undefined>>;
  /** Why the latest attempt failed; null when it did not. */
  readonly error: Readonly<Ref<unknown>>;
  /** Whether a request is under way. */
  readonly isPending: Readonly<Ref<boolean>>;
  /** Asks again, and keeps the old answer until then. Resolves when the attempt has ended, also when it failed. */
  readonly renew: () => Promise<void>;
}

/** The data of a request as an argument, which may be left out when it can be undefined. */
export type RequestData<Data> = undefined extends Data
  ? [data?: MaybeRefOrGetter<Data>]
  : [data: MaybeRefOrGetter<Data>];

/** The plugin that shares a client, and the composables that use it, typed by a contract. */
export interface SocketHooks<C extends WebSocketContract = WebSocketContract> {
  /**
   * `app.use(socketPlugin, client)` shares a client with all components. It neither connects nor destroys the client:
   * whoever created it does.
   */
  readonly socketPlugin: { readonly install: (app: App, client: WebSocketClient<C>) => void };

  /**
   * Without options: the shared client. With options: a new client for this component, shared with those below; it connects
   * when the component is mounted and is destroyed with it.
   *
   * @throws Error without options, when no client is shared
   */
  readonly useSocketClient: (options?: WebSocketClientOptions) => WebSocketClient<C>;

  /**
   * The state of the connection, and the reason for it. `'disconnected'` on a server, and until the component is mounted.
   *
   * @throws Error where no client is shared
   */
  readonly useConnectionState: () => RefsOf<ConnectionState>;

  /**
   * Calls a handler with each push of this name while the component is mounted, or kept by `KeepAlive`. What the handler
   * throws goes to `events.onError`.
   *
   * @throws Error where no client is shared
   */
  readonly usePush: <Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ) => void;

  /**
   * Keeps the client in a room while the component is mounted, or kept by `KeepAlive`; null or undefined means no room. Joins
   * are counted: the client leaves the room with the last component. A failed join is tried again, see {@link RoomStatus}.
   *
   * @throws Error where no client is shared
   */
  readonly useRoom: (name: MaybeRefOrGetter<string | null | undefined>, options?: UseRoomOptions) => RefsOf<RoomStatus>;

  /**
   * Keeps the client in a room as {@link useRoom} does, and shows who is there, in rooms with presence.
   *
   * @throws Error where no client is shared
   */
  readonly usePresence: (name: MaybeRefOrGetter<string | null | undefined>, options?: UseRoomOptions) => UsedPresence;

  /**
   * Sends a request when the component is mounted, and again when the data changes; answers to older data are ignored. It
   * sends nothing on a server.
   *
   * @throws Error where no client is shared
   */
  readonly useRequest: <Type extends RouteType<C>, Action extends RouteAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: RequestData<RouteData<C, Type, Action>>
  ) => AskedRequest<RouteReply<C, Type, Action>>;
}
