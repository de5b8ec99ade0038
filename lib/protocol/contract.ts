import type { RequestId, WebSocketMessage, WsTypedMessage } from './messages.js';
import type { WsPresencePush, WsRoomLeftReason } from './presence.js';
import type { WsLossReason, WsPosition } from './room-position.js';

/**
 * The messages between a server and its clients, as one type that both sides use. All parts are optional; what a contract does
 * not mention is `unknown`. Types are written as interfaces or taken from schemas (Standard Schema: Zod, Valibot, ArkType), whose
 * input type counts.
 *
 * @example
 * interface Chat {
 *   routes: {
 *     chat: {
 *       send: { data: { text: string }; reply: { sent: boolean } };
 *       history: { data: { room: string }; stream: { text: string } };
 *     };
 *   };
 *   pushes: { chat: { message: { from: string; text: string } } };
 *   calls: { user: { confirm: { data: { question: string }; reply: boolean } } };
 *   user: { name: string };
 *   metadata: { theme: 'light' | 'dark' };
 * }
 */
export interface WebSocketContract {
  /** The requests of clients: `type` → `action` → `{ data?, reply? }`, or `{ data?, stream }` for several answers. */
  readonly routes?: object;
  /** The pushes of the server: `type` → `action` → data. An event without a colon has the type `event`. */
  readonly pushes?: object;
  /** The requests of the server: `type` → `action` → `{ data?, reply? }`. */
  readonly calls?: object;
  /** What members of a room say to each other without a handler: `action` → data. */
  readonly whispers?: object;
  /** The payload of a user: `WsClient.user.payload`. */
  readonly user?: object;
  /** The application's data of a client: `WsClient.metadata`, in which each key may be missing. */
  readonly metadata?: object;
}

/** All names, each with the same entry. */
type AnyNames<Entry> = Readonly<Record<string, Readonly<Record<string, Entry>>>>;

/** `Then` for the type `any`, `Else` for every other type. */
type IfAny<T, Then, Else> = 0 extends 1 & T ? Then : Else;

/** A part of a contract; without it, all names with unknown data. With the contract `any` the data is `any`. */
type Part<C, Name extends 'routes' | 'pushes' | 'calls'> = IfAny<
  C,
  AnyNames<C>,
  C extends Readonly<Record<Name, infer Given>> ? Given : AnyNames<unknown>
>;

/** The type on the wire: the input of a schema, any other type as it is. */
type Wire<T> = T extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly input: infer Input }
    ? Input
    : unknown
  : T;

/** The entry of a route, push or call; `Without` when there is none. */
type Entry<Of, Type, Action, Without = never> = Type extends keyof Of
  ? Action extends keyof Of[Type]
    ? Of[Type][Action]
    : Without
  : Without;

/** A field of an entry; unknown (or any) if the entry is, `Without` when it has no such field. */
type Field<E, Name extends string, Without> = unknown extends E
  ? E
  : E extends unknown
    ? Name extends keyof E
      ? Wire<E[Name]>
      : Without
    : never;

/** The types of a part. */
type TypesOf<Of> = Of extends infer Known ? keyof Known & string : never;

/** The actions of a type. */
type NamesOf<Of, Type> = Type extends keyof Of ? keyof Of[Type] & string : never;

/** The actions of a type that have a field (`Has`), or do not; all actions when nothing is known. */
type ActionsOf<Of, Type, Name extends string, Has extends boolean> = Type extends keyof Of
  ? {
      [Action in keyof Of[Type] & string]: unknown extends Of[Type][Action]
        ? Action
        : Of[Type][Action] extends Readonly<Record<Name, unknown>>
          ? Has extends true
            ? Action
            : never
          : Has extends true
            ? never
            : Action;
    }[keyof Of[Type] & string]
  : never;

/** The field `data`, which is optional when it can be undefined. */
type Carrying<Data> = undefined extends Data ? { readonly data?: Data } : { readonly data: Data };

/** The types of a contract's routes, as `'chat'`. */
export type RouteType<C> = TypesOf<Part<C, 'routes'>>;
/** The actions of a type that have one answer: those of `WebSocketClient.request`. */
export type RouteAction<C, Type> = ActionsOf<Part<C, 'routes'>, Type, 'stream', false>;
/** The actions of a type that have several answers: those of `WebSocketClient.stream`. */
export type StreamAction<C, Type> = ActionsOf<Part<C, 'routes'>, Type, 'stream', true>;
/** All actions of a type: those of `WebSocketClient.send`. */
export type WsAnyAction<C, Type> = NamesOf<Part<C, 'routes'>, Type>;
/**
 * What a request carries.
 *
 * @example
 * send(\@MessageBody() data: RouteData<Chat, 'chat', 'send'>): RouteReply<Chat, 'chat', 'send'> { ... }
 */
export type RouteData<C, Type extends RouteType<C>, Action extends WsAnyAction<C, Type>> = Field<
  Entry<Part<C, 'routes'>, Type, Action>,
  'data',
  undefined
>;
/**
 * What a request is answered with; null where the contract names no reply.
 *
 * @example
 * function ask<C extends WebSocketContract, T extends RouteType<C>, A extends RouteAction<C, T>>(
 *   client: WebSocketClient<C>, type: T, action: A, data: RouteData<C, T, A>,
 * ): Promise<RouteReply<C, T, A>> {
 *   return client.request(type, action, data);
 * }
 */
export type RouteReply<C, Type extends RouteType<C>, Action extends WsAnyAction<C, Type>> = Field<
  Entry<Part<C, 'routes'>, Type, Action>,
  'reply',
  null
>;
/**
 * What each answer of a stream is.
 *
 * @example
 * async function * history(): AsyncGenerator<StreamValue<Chat, 'chat', 'history'>> { ... }
 */
export type StreamValue<C, Type extends RouteType<C>, Action extends WsAnyAction<C, Type>> = Field<
  Entry<Part<C, 'routes'>, Type, Action>,
  'stream',
  never
>;

/** What every server of this library pushes. */
interface OwnPushes {
  readonly auth: {
    readonly authenticated: { userId: string; message: string };
    readonly expiring: { expiresAt: number };
  };
  readonly room: {
    readonly memberJoined: MemberMove;
    readonly memberLeft: MemberMove;
    readonly lost: RoomMove & { reason: WsLossReason };
    readonly joined: RoomMove;
    readonly position: RoomMove;
    readonly left: { roomName: string; reason: WsRoomLeftReason };
    readonly presence: WsPresencePush;
  };
  readonly user: { readonly leftRoom: { roomName: string } };
  readonly system: { readonly clientList: { event?: string; clients: Record<string, unknown>[] } };
}

/** The client's position in a room with history is another one now. */
interface RoomMove {
  roomName: string;
  position: WsPosition;
}

interface MemberMove {
  roomName: string;
  member: { clientId: string; userId?: string; username?: string; profile?: Record<string, unknown> };
}

/** The actions of whispers. */
export type WhisperAction<C> = keyof Whispers<C> & string;
/** What such a whisper carries. */
export type WhisperData<C, Action> = Wire<Action extends keyof Whispers<C> ? Whispers<C>[Action] : unknown>;

/** The whispers of a contract; without them, all names with unknown data. With the contract `any` the data is `any`. */
type Whispers<C> = IfAny<
  C,
  Readonly<Record<string, C>>,
  C extends { readonly whispers: infer Given } ? Given : Readonly<Record<string, unknown>>
>;

/** The types of what the server says unasked: the contract's, this library's own, as `'room'`, and whispers. */
export type PushType<C> = TypesOf<Part<C, 'pushes'>> | keyof OwnPushes | 'whisper';
/** The actions of that type. */
export type PushAction<C, Type> = Type extends 'whisper'
  ? WhisperAction<C>
  : Type extends keyof OwnPushes
    ? NamesOf<Part<C, 'pushes'>, Type> | (keyof OwnPushes[Type] & string)
    : NamesOf<Part<C, 'pushes'>, Type>;
/**
 * What such a message carries: what a handler of `WebSocketClient.on` gets. With its sisters {@link PushType} and
 * {@link PushAction} it types what stands around `on`, without a cast.
 *
 * @example
 * function usePush<C extends WebSocketContract, T extends PushType<C>, A extends PushAction<C, T>>(
 *   client: WebSocketClient<C>, type: T, action: A, handler: (data: PushData<C, T, A>) => void,
 * ): Unsubscribe {
 *   return client.on(type, action, handler);
 * }
 * usePush(client, 'chat', 'message', ({ from, text }) => show(from, text));
 */
export type PushData<C, Type extends PushType<C>, Action extends PushAction<C, Type>> = Type extends 'whisper'
  ? WhisperData<C, Action>
  : Wire<Entry<Part<C, 'pushes'>, Type, Action, unknown>> & Entry<OwnPushes, Type, Action, unknown>;

/** The types of what the server asks. */
export type CallType<C> = TypesOf<Part<C, 'calls'>>;
/** The actions of that type. */
export type CallAction<C, Type> = NamesOf<Part<C, 'calls'>, Type>;
/**
 * What the server's question carries: what a handler of `WebSocketClient.handle` gets.
 *
 * @example
 * const confirm = ({ question }: CallData<Chat, 'user', 'confirm'>): CallReply<Chat, 'user', 'confirm'> => ask(question);
 */
export type CallData<C, Type extends CallType<C>, Action extends CallAction<C, Type>> = Field<
  Entry<Part<C, 'calls'>, Type, Action>,
  'data',
  undefined
>;
/** What it is answered with; null where the contract names no reply. */
export type CallReply<C, Type extends CallType<C>, Action extends CallAction<C, Type>> = Field<
  Entry<Part<C, 'calls'>, Type, Action>,
  'reply',
  null
>;

/** The event name of a pair. */
type EventName<Type extends string, Action extends string> = string extends Type
  ? string
  : Type extends 'event'
    ? Action
    : `${Type}:${Action}`;

/** The event names of a part. */
type EventsOf<Of> = {
  [Type in keyof Of & string]: { [Action in keyof Of[Type] & string]: EventName<Type, Action> }[keyof Of[Type] &
    string];
}[keyof Of & string];

/** The entry under an event name. */
type EventEntry<Of, Event> = Event extends `${infer Type}:${infer Action}`
  ? Entry<Of, Type, Action>
  : Entry<Of, 'event', Event>;

/** The two shapes of a message. Each excludes the names of the other, so that the compiler's errors are about one shape. */
type Pair<Type, Action, Data> = Carrying<Data> & {
  readonly type: Type;
  readonly action: Action;
  readonly event?: undefined;
};
type Event<Name, Data> = Carrying<Data> & {
  readonly event: Name;
  readonly type?: undefined;
  readonly action?: undefined;
};

/** `Then` for a contract that has the part, `Else` for any other one, also for `any`. */
export type IfGiven<C, Name extends keyof WebSocketContract, Then, Else> = IfAny<
  C,
  Else,
  C extends Readonly<Record<Name, unknown>> ? Then : Else
>;

/** A message that a server may send by its contract, in either shape; without a contract any message. */
export type PushMessage<C> = C extends { readonly pushes: infer Given }
  ? {
      [Type in keyof Given & string]: {
        [Action in keyof Given[Type] & string]:
          | ({ readonly type: Type; readonly action: Action } & Carrying<Wire<Given[Type][Action]>>)
          | ({ readonly event: EventName<Type, Action> } & Carrying<Wire<Given[Type][Action]>>);
      }[keyof Given[Type] & string];
    }[keyof Given & string]
  : WebSocketMessage;

/**
 * A message in the history of a room, as `WebSocketService.getHistory` returns it: with the names type and action, however
 * it was sent.
 */
export type HistoryMessage<C> = IfGiven<
  C,
  'pushes',
  {
    [Type in SentType<C>]: {
      [Action in SentAction<C, Type>]: { readonly type: Type; readonly action: Action } & Carrying<
        SentData<C, Type, Action>
      >;
    }[SentAction<C, Type>];
  }[SentType<C>],
  WsTypedMessage<IfAny<C, C, unknown>>
>;

/** The types of an application's pushes. */
export type SentType<C> = TypesOf<Part<C, 'pushes'>>;
/** The actions of that type. */
export type SentAction<C, Type> = NamesOf<Part<C, 'pushes'>, Type>;
/** The event names of pushes, such as `'chat:message'`. */
export type SentEvent<C> = EventsOf<Part<C, 'pushes'>>;
/** The data of a push. */
export type SentData<C, Type, Action> = Wire<Entry<Part<C, 'pushes'>, Type, Action>>;
/** The data of a push by its event name. */
export type SentEventData<C, Name> = Wire<EventEntry<Part<C, 'pushes'>, Name>>;
/**
 * A message of these names, in either shape, as the verbs take it; `Else` when the contract has no pushes. The compiler infers
 * the names, so that its errors point at the one wrong field.
 */
export type SentMessage<
  C,
  Type extends SentType<C>,
  Action extends SentAction<C, Type>,
  Name extends SentEvent<C>,
  Else = WebSocketMessage,
> = IfGiven<C, 'pushes', Pair<Type, Action, SentData<C, Type, Action>> | Event<Name, SentEventData<C, Name>>, Else>;

/**
 * A message and the further parameters of a verb. A class whose first verb takes them is compared with others by its parameters
 * and not by its contract, so that an instance with a contract is assignable to one without.
 */
export type SentArguments<
  C,
  Type extends SentType<C>,
  Action extends SentAction<C, Type>,
  Name extends SentEvent<C>,
  Rest extends readonly unknown[] = [],
> = IfGiven<
  C,
  'pushes',
  [message: SentMessage<C, Type, Action, Name>, ...rest: Rest],
  [message: WebSocketMessage, ...rest: Rest]
>;

/** The event names of the server's requests, such as `'user:confirm'`. */
export type CallEvent<C> = EventsOf<Part<C, 'calls'>>;
/** A request of the server with these names, in either shape; without a contract any message. */
export type CallMessage<
  C,
  Type extends CallType<C>,
  Action extends CallAction<C, Type>,
  Name extends CallEvent<C>,
> = IfGiven<
  C,
  'calls',
  | Pair<Type, Action, CallData<C, Type, Action>>
  | Event<Name, Field<EventEntry<Part<C, 'calls'>, Name>, 'data', undefined>>,
  WebSocketMessage
>;
/** The answer to such a request. */
export type CallAnswer<
  C,
  Type extends CallType<C>,
  Action extends CallAction<C, Type>,
  Name extends CallEvent<C>,
> = IfGiven<
  C,
  'calls',
  CallReply<C, Type, Action> | Field<EventEntry<Part<C, 'calls'>, Name>, 'reply', null>,
  IfAny<C, C, unknown>
>;

/** The event names of clients' requests, such as `'chat:send'`. */
export type RouteEvent<C> = EventsOf<Part<C, 'routes'>>;
/** A request of these names, in either shape; `Else` when the contract has no routes. */
export type RouteMessage<
  C,
  Type extends RouteType<C>,
  Action extends WsAnyAction<C, Type>,
  Name extends RouteEvent<C>,
  Else = WebSocketMessage,
> = IfGiven<
  C,
  'routes',
  | (Pair<Type, Action, RouteData<C, Type, Action>> & Identified)
  | (Event<Name, Field<EventEntry<Part<C, 'routes'>, Name>, 'data', undefined>> & Identified),
  Else
>;
interface Identified {
  readonly id?: RequestId;
}

/** Makes a type assignable to `Record<string, unknown>`, which an interface is not. */
type Plain<T> = { [Key in keyof T]: T[Key] };
type Shape<C, Name extends 'user' | 'metadata'> = IfAny<
  C,
  Record<string, C>,
  C extends Readonly<Record<Name, infer Given>> ? Wire<Given> : Record<string, unknown>
>;

/** The payload of a user. */
export type WsUserPayload<C> = Plain<Shape<C, 'user'>>;
/** The metadata of a client, which is empty at first. */
export type WsMetadataOf<C> = Partial<Shape<C, 'metadata'>>;

/** The parameters behind the names of a request: its data, which is optional when it can be undefined, and options. */
export type DataArguments<Data, Options> = undefined extends Data
  ? [data?: Data, options?: Options]
  : [data: Data, options?: Options];

/** The same without options. */
export type DataArgument<Data> = undefined extends Data ? [data?: Data] : [data: Data];
