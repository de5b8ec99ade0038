import type { RequestId, WebSocketMessage } from './messages.js';

/**
 * What travels between a server and its clients, as one type that both sides name. All parts may be left out; what a
 * contract does not speak of is `unknown`. A type is written as an interface or taken from schemas (Standard Schema: Zod,
 * Valibot, ArkType), whose input is what travels.
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
  /** What clients ask: `type` → `action` → `{ data?, reply? }`, or `{ data?, stream }` for many answers. */
  readonly routes?: object;
  /** What the server says unasked: `type` → `action` → data. An event without a colon has the type `event`. */
  readonly pushes?: object;
  /** What the server asks clients: `type` → `action` → `{ data?, reply? }`. */
  readonly calls?: object;
  /** What the server knows of a user beside its ids: `WsClient.user.payload`. */
  readonly user?: object;
  /** What the application keeps with a client: `WsClient.metadata`, in which each key may still be missing. */
  readonly metadata?: object;
}

/** Any names, each with the same entry. */
type AnyNames<Entry> = Readonly<Record<string, Readonly<Record<string, Entry>>>>;

/** What holds of `any`, and what of every other type. */
type IfAny<T, Then, Else> = 0 extends 1 & T ? Then : Else;

/** The part of a contract; where it has none, any names with unknown data. Of the contract `any` the data is `any` too. */
type Part<C, Name extends 'routes' | 'pushes' | 'calls'> = IfAny<
  C,
  AnyNames<C>,
  C extends Readonly<Record<Name, infer Given>> ? Given : AnyNames<unknown>
>;

/** What travels: the input of a schema, any other type as it is. */
type Wire<T> = T extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly input: infer Input }
    ? Input
    : unknown
  : T;

/** The entry of one route, push or call; `Without` where there is none. */
type Entry<Of, Type, Action, Without = never> = Type extends keyof Of
  ? Action extends keyof Of[Type]
    ? Of[Type][Action]
    : Without
  : Without;

/** A field of an entry; unknown (or any) where the entry is, `Without` where it has no such field. */
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

/** The actions of a type that have a field, or that have not; all of them where nothing is known. */
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

/** Data that can be undefined can be left out. */
type Carrying<Data> = undefined extends Data ? { readonly data?: Data } : { readonly data: Data };

/** The types of a contract's routes, as `'chat'`. */
export type RouteType<C> = TypesOf<Part<C, 'routes'>>;
/** The actions of a type that have one answer: those of `WebSocketClient.request`. */
export type RouteAction<C, Type> = ActionsOf<Part<C, 'routes'>, Type, 'stream', false>;
/** The actions of a type that have many answers: those of `WebSocketClient.stream`. */
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
  readonly room: { readonly memberJoined: MemberMove; readonly memberLeft: MemberMove };
  readonly user: { readonly leftRoom: { roomName: string } };
  readonly system: { readonly clientList: { event?: string; clients: Record<string, unknown>[] } };
}

interface MemberMove {
  roomName: string;
  member: { clientId: string; userId?: string; username?: string; profile?: Record<string, unknown> };
}

/** The types of what the server says unasked: the contract's and this library's own, as `'room'`. */
export type PushType<C> = TypesOf<Part<C, 'pushes'>> | keyof OwnPushes;
/** The actions of such a type. */
export type PushAction<C, Type> = Type extends keyof OwnPushes
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
export type PushData<C, Type extends PushType<C>, Action extends PushAction<C, Type>> = Wire<
  Entry<Part<C, 'pushes'>, Type, Action, unknown>
> &
  Entry<OwnPushes, Type, Action, unknown>;

/** The types of what the server asks. */
export type CallType<C> = TypesOf<Part<C, 'calls'>>;
/** The actions of such a type. */
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

/** A message under a pair of names, and under an event name. A message has one or the other, so that errors are about that. */
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

/** What holds of a contract with such a part, and what of any other one, `any` among them. */
export type IfGiven<C, Name extends keyof WebSocketContract, Then, Else> = IfAny<
  C,
  Else,
  C extends Readonly<Record<Name, unknown>> ? Then : Else
>;

/** A message that a server may send by its contract, in either shape; any message without one. */
export type PushMessage<C> = C extends { readonly pushes: infer Given }
  ? {
      [Type in keyof Given & string]: {
        [Action in keyof Given[Type] & string]:
          | ({ readonly type: Type; readonly action: Action } & Carrying<Wire<Given[Type][Action]>>)
          | ({ readonly event: EventName<Type, Action> } & Carrying<Wire<Given[Type][Action]>>);
      }[keyof Given[Type] & string];
    }[keyof Given & string]
  : WebSocketMessage;

/** The types of what an application may push. */
export type SentType<C> = TypesOf<Part<C, 'pushes'>>;
/** The actions of such a type. */
export type SentAction<C, Type> = NamesOf<Part<C, 'pushes'>, Type>;
/** The event names of what an application may push, as `'chat:message'`. */
export type SentEvent<C> = EventsOf<Part<C, 'pushes'>>;
/** What such a message carries. */
export type SentData<C, Type, Action> = Wire<Entry<Part<C, 'pushes'>, Type, Action>>;
/** What such an event carries. */
export type SentEventData<C, Name> = Wire<EventEntry<Part<C, 'pushes'>, Name>>;
/**
 * A message of these names, in either shape, as every verb takes it; `Else` where the contract speaks of no pushes. The
 * compiler finds the names by itself, and so points at the one field that is wrong.
 */
export type SentMessage<
  C,
  Type extends SentType<C>,
  Action extends SentAction<C, Type>,
  Name extends SentEvent<C>,
  Else = WebSocketMessage,
> = IfGiven<C, 'pushes', Pair<Type, Action, SentData<C, Type, Action>> | Event<Name, SentEventData<C, Name>>, Else>;

/**
 * Such a message and what stands behind it, as the arguments of a verb. A class whose first verb takes them is compared
 * with others of its kind by what it takes, and not by its contract: one goes where another is expected.
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

/** The event names of what a server asks, as `'user:confirm'`. */
export type CallEvent<C> = EventsOf<Part<C, 'calls'>>;
/** A question of these names, in either shape; any message without a contract. */
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
/** What such a question is answered with. */
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

/** The event names of what clients ask, as `'chat:send'`. */
export type RouteEvent<C> = EventsOf<Part<C, 'routes'>>;
/** A request of these names, in either shape; `Else` where the contract speaks of no routes. */
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

/** The same type as one of its own, which goes where `Record<string, unknown>` is expected: an interface does not. */
type Plain<T> = { [Key in keyof T]: T[Key] };
type Shape<C, Name extends 'user' | 'metadata'> = IfAny<
  C,
  Record<string, C>,
  C extends Readonly<Record<Name, infer Given>> ? Wire<Given> : Record<string, unknown>
>;

/** What the server knows of a user beside its ids. */
export type WsUserPayload<C> = Plain<Shape<C, 'user'>>;
/** What the application keeps with a client; there is nothing at first. */
export type WsMetadataOf<C> = Partial<Shape<C, 'metadata'>>;

/** The arguments behind the names of a request: its data, which may be left out where it can be undefined, and options. */
export type DataArguments<Data, Options> = undefined extends Data
  ? [data?: Data, options?: Options]
  : [data: Data, options?: Options];

/** The same without options. */
export type DataArgument<Data> = undefined extends Data ? [data?: Data] : [data: Data];
