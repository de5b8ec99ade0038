import {
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useInsertionEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type {
  PushAction,
  PushData,
  PushedMessage,
  PushType,
  RouteAction,
  RouteData,
  RouteReply,
  RouteType,
  Unsubscribe,
  WebSocketClient,
  WebSocketContract,
} from '../client/index.js';
import { connectionStateOf, IDLE } from '../hooks/connection-state.js';
import { OUTSIDE, stayInRoom, type RoomStatus } from '../hooks/room-stay.js';
import { NOBODY, watchRoom } from '../hooks/room-watch.js';
import type { DataArgument } from '../protocol/contract.js';
import { requestOf } from './kept-request.js';
import { useOwnClient } from './own-client.js';
import type { AskedRequest, SocketHooks, UsedPresence, UseRoomOptions } from './socket-hooks.interface.js';

/**
 * Creates a provider and its hooks, typed by a contract. Each call creates a separate set, so that an application with two
 * servers has a provider for each.
 *
 * @typeParam C the contract with the server; without one all data is `unknown`
 *
 * @example
 * export const { SocketProvider, useSocketClient, usePush, useRoom } = createSocketHooks<Chat>();
 */
export function createSocketHooks<C extends WebSocketContract = WebSocketContract>(): SocketHooks<C> {
  const Context = createContext<WebSocketClient<C> | null>(null);

  function useShared(own: WebSocketClient<C> | null = null): WebSocketClient<C> {
    const shared = useContext(Context);
    const client = own ?? shared;
    if (client) return client;
    throw new Error('There is no client: put a <SocketProvider client={...}> around this component.');
  }

  function usePush<Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ): void {
    const client = useShared();
    const newest = useNewest(handler);
    useEffect(() => client.on(type, action, (data, message) => newest.current(data, message)), [client, type, action]);
  }

  function useRequest<Type extends RouteType<C>, Action extends RouteAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: DataArgument<RouteData<C, Type, Action>>
  ): AskedRequest<RouteReply<C, Type, Action>> {
    const client = useShared();
    const key = JSON.stringify([type, action, ...rest]);
    const request = requestOf(client, key, () => client.request(type, action, ...rest));
    const [shown, show] = useState({ request, promise: request.promise });
    useEffect(() => {
      const update = (): void => {
        const { promise } = request;
        show((before) => (before.promise === promise ? before : { request, promise }));
      };
      update();
      return request.add(update);
    }, [request]);
    return { promise: (shown.request === request ? shown : request).promise, renew: request.renew };
  }

  function useRoom(name: string | null | undefined, options: UseRoomOptions = {}): RoomStatus {
    const client = useShared();
    const { username } = options;
    const newest = useNewest(options);
    const stay = (room: string, tell: (status: RoomStatus) => void): Unsubscribe =>
      stayInRoom(client, room, username, () => newest.current, tell);
    return useTold(client, name, stay, OUTSIDE, username);
  }

  function usePresence(name: string | null | undefined, options?: UseRoomOptions): UsedPresence {
    const client = useShared();
    const present = useTold(client, name, (room, tell) => watchRoom(client, room, tell), NOBODY);
    const status = useRoom(name, options);
    const setState = useCallback((state: unknown) => client.setPresence(name ?? '', state), [client, name]);
    return useMemo(() => ({ ...status, ...present, setState }), [status, present, setState]);
  }

  return {
    SocketProvider: ({ client, children }) => createElement(Context.Provider, { value: client }, children),
    useSocketClient: (options) => useShared(useOwnClient(options)),
    useConnectionState() {
      const client = useShared();
      const subscribe = useCallback((listener: () => void) => client.onState(listener), [client]);
      return useSyncExternalStore(
        subscribe,
        () => connectionStateOf(client),
        () => IDLE,
      );
    },
    usePush,
    useRoom,
    usePresence,
    useRequest,
  };
}

/**
 * What `begin` has told last of a room, from when the component is mounted until it is not.
 *
 * @param other what else makes it begin anew, when it changes
 */
function useTold<T>(
  client: object,
  name: string | null | undefined,
  begin: (name: string, tell: (value: T) => void) => Unsubscribe,
  nothing: T,
  other?: string,
): T {
  const [told, setTold] = useState<{ client: object; name: string; value: T } | null>(null);
  useEffect(() => {
    if (name === null || name === undefined) return;
    const end = begin(name, (value) => setTold({ client, name, value }));
    return () => {
      end();
      setTold(null);
    };
  }, [client, name, other]);
  return told?.client === client && told.name === name ? told.value : nothing;
}

/** What the newest render was given. */
function useNewest<T>(value: T): { readonly current: T } {
  const newest = useRef(value);
  useInsertionEffect(() => {
    newest.current = value;
  });
  return newest;
}

/** The provider and hooks without a contract. */
export const { SocketProvider, useSocketClient, useConnectionState, usePush, useRoom, usePresence, useRequest } =
  createSocketHooks();
