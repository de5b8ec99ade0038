import {
  computed,
  getCurrentInstance,
  hasInjectionContext,
  inject,
  markRaw,
  provide,
  shallowRef,
  toValue,
  watch,
  type InjectionKey,
  type MaybeRefOrGetter,
  type ShallowRef,
} from 'vue';
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
import { ownClient } from '../hooks/own-client.js';
import { OUTSIDE, stayInRoom, type RoomStatus } from '../hooks/room-stay.js';
import { NOBODY, watchRoom } from '../hooks/room-watch.js';
import type { DataArgument } from '../protocol/contract.js';
import type {
  AskedRequest,
  RefsOf,
  RequestData,
  SocketHooks,
  UsedPresence,
  UseRoomOptions,
} from './socket-hooks.interface.js';
import { whileMounted } from './while-mounted.js';

type RoomName = MaybeRefOrGetter<string | null | undefined>;

/**
 * Creates a plugin and its composables, typed by a contract. Each call creates a separate set, so that an application with
 * two servers has a plugin for each.
 *
 * @typeParam C the contract with the server; without one all data is `unknown`
 *
 * @example
 * export const { socketPlugin, useSocketClient, usePush, useRoom } = createSocketHooks<Chat>();
 */
export function createSocketHooks<C extends WebSocketContract = WebSocketContract>(): SocketHooks<C> {
  const key: InjectionKey<WebSocketClient<C>> = Symbol('WebSocketClient');

  function useShared(): WebSocketClient<C> {
    const client = hasInjectionContext() ? inject(key, null) : null;
    if (client) return client;
    throw new Error('There is no client: call app.use(socketPlugin, client), or useSocketClient(options) further up.');
  }

  function usePush<Type extends PushType<C>, Action extends PushAction<C, Type>>(
    type: Type,
    action: Action,
    handler: (data: PushData<C, Type, Action>, message: PushedMessage) => unknown,
  ): void {
    const client = useShared();
    whileMounted(() => client.on(type, action, handler));
  }

  function useRequest<Type extends RouteType<C>, Action extends RouteAction<C, Type>>(
    type: Type,
    action: Action,
    ...rest: RequestData<RouteData<C, Type, Action>>
  ): AskedRequest<RouteReply<C, Type, Action>> {
    const client = useShared();
    const data = shallowRef<RouteReply<C, Type, Action>>();
    const error = shallowRef<unknown>(null);
    const isPending = shallowRef(false);
    let turn = 0;
    const renew = async (): Promise<void> => {
      const own = ++turn;
      isPending.value = true;
      try {
        const reply = await client.request(type, action, ...valuesOf<RouteData<C, Type, Action>>(rest));
        if (own !== turn) return;
        data.value = reply;
        error.value = null;
      } catch (failure) {
        if (own !== turn) return;
        error.value = failure;
      }
      isPending.value = false;
    };
    // Compares the data as JSON, so that only a real change sends another request.
    whileMounted(() => watch(() => JSON.stringify(valuesOf(rest)), renew, { immediate: true }));
    return { data, error, isPending, renew };
  }

  function useRoom(name: RoomName, options: UseRoomOptions = {}): RefsOf<RoomStatus> {
    const client = useShared();
    const status = useTold([() => toValue(name), () => toValue(options.username)], OUTSIDE, (room, tell, username) =>
      stayInRoom(client, room, username, () => options, tell),
    );
    return {
      joined: computed(() => status.value.joined),
      error: computed(() => status.value.error),
      recovered: computed(() => status.value.recovered),
      left: computed(() => status.value.left),
    };
  }

  function usePresence(name: RoomName, options?: UseRoomOptions): UsedPresence {
    const client = useShared();
    const present = useTold([() => toValue(name)], NOBODY, (room, tell) => watchRoom(client, room, tell));
    return {
      ...useRoom(name, options),
      members: computed(() => present.value.members),
      count: computed(() => present.value.count),
      partial: computed(() => present.value.partial),
      setState: (state) => client.setPresence(toValue(name) ?? '', state),
    };
  }

  return {
    // Vue must not wrap the client in a proxy, which could not read its private fields.
    socketPlugin: { install: (app, client) => void app.provide(key, markRaw(client)) },
    useSocketClient(options) {
      if (!options) return useShared();
      const client = markRaw(ownClient<C>(options));
      if (getCurrentInstance()) provide(key, client);
      whileMounted(() => {
        // A failure shows in the connection's state.
        client.connect().catch(() => undefined);
        return () => client.destroy();
      });
      return client;
    },
    useConnectionState() {
      const client = useShared();
      const newest = shallowRef(IDLE);
      whileMounted(() => {
        newest.value = connectionStateOf(client);
        return client.onState((change) => (newest.value = change));
      });
      return { state: computed(() => newest.value.state), reason: computed(() => newest.value.reason) };
    },
    usePush,
    useRoom,
    usePresence,
    useRequest,
  };
}

/**
 * What `begin` has told last of a room while the component is mounted.
 *
 * @param sources give the name of the room, and what else makes it begin anew when it changes
 */
function useTold<T>(
  sources: (() => string | null | undefined)[],
  nothing: T,
  begin: (name: string, tell: (value: T) => void, other: string | undefined) => Unsubscribe,
): Readonly<ShallowRef<T>> {
  const told = shallowRef(nothing);
  whileMounted(() =>
    watch(
      sources,
      ([name, other], _before, onCleanup) => {
        told.value = nothing;
        if (name !== null && name !== undefined)
          onCleanup(begin(name, (value) => (told.value = value), other ?? undefined));
      },
      { immediate: true },
    ),
  );
  return told;
}

/** Reads the values of refs and getters. */
function valuesOf<Data>(rest: RequestData<Data>): DataArgument<Data>;
function valuesOf(rest: [data?: unknown]): unknown[] {
  return rest.map((given) => toValue(given));
}

/** The plugin and composables without a contract. */
export const { socketPlugin, useSocketClient, useConnectionState, usePush, useRoom, usePresence, useRequest } =
  createSocketHooks();
