import type { WebSocketMessage } from './messages.js';

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
 * }
 */
export interface WebSocketContract {
  /** What clients ask: `type` → `action` → `{ data?, reply? }`, or `{ data?, stream }` for many answers. */
  readonly routes?: object;
  /** What the server says unasked: `type` → `action` → data. An event without a colon has the type `event`. */
  readonly pushes?: object;
  /** What the server asks clients: `type` → `action` → `{ data?, reply? }`. */
  readonly calls?: object;
}

/** The part of a contract; where it has none, any names with unknown data. */
type Part<C, Name extends keyof WebSocketContract> =
  C extends Readonly<Record<Name, infer Given>> ? Given : Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What travels: the input of a schema, any other type as it is. */
type Wire<T> = T extends { readonly '~standard': { readonly types?: infer Types } }
  ? NonNullable<Types> extends { readonly input: infer Input }
    ? Input
    : unknown
  : T;

/** The entry of one route, push or call. */
type Entry<Of, Type, Action> = Type extends keyof Of
  ? Action extends keyof Of[Type]
    ? Of[Type][Action]
    : never
  : never;

/** A field of an entry; unknown where the entry is, `Without` where it has no such field. */
type Field<E, Name extends string, Without> = unknown extends E
  ? unknown
  : E extends Readonly<Record<Name, infer Given>>
    ? Wire<Given>
    : Without;

/** The types of a part. */
type TypesOf<Of> = keyof Of & string;

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

/** The types of a contract's routes. */
export type RouteType<C> = TypesOf<Part<C, 'routes'>>;
/** The actions of a type that have one answer. */
export type RouteAction<C, Type> = ActionsOf<Part<C, 'routes'>, Type, 'stream', false>;
/** The actions of a type that have many answers. */
export type StreamAction<C, Type> = ActionsOf<Part<C, 'routes'>, Type, 'stream', true>;
/** All actions of a type. */
export type AnyAction<C, Type> = RouteAction<C, Type> | StreamAction<C, Type>;
/** What a request carries. */
export type RouteData<C, Type, Action> = Field<Entry<Part<C, 'routes'>, Type, Action>, 'data', undefined>;
/** What a request is answered with. */
export type RouteReply<C, Type, Action> = Field<Entry<Part<C, 'routes'>, Type, Action>, 'reply', null>;
/** What each answer of a stream is. */
export type StreamValue<C, Type, Action> = Field<Entry<Part<C, 'routes'>, Type, Action>, 'stream', never>;

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

type Pushes<C> = Part<C, 'pushes'> & OwnPushes;

/** The types of what the server says unasked. */
export type PushType<C> = TypesOf<Pushes<C>>;
/** The actions of such a type. */
export type PushAction<C, Type> = Type extends keyof Pushes<C> ? keyof Pushes<C>[Type] & string : never;
/** What such a message carries. */
export type PushData<C, Type, Action> = Wire<Entry<Pushes<C>, Type, Action>>;

/** The types of what the server asks. */
export type CallType<C> = TypesOf<Part<C, 'calls'>>;
/** The actions of such a type. */
export type CallAction<C, Type> = Type extends keyof Part<C, 'calls'> ? keyof Part<C, 'calls'>[Type] & string : never;
/** What the server's question carries. */
export type CallData<C, Type, Action> = Field<Entry<Part<C, 'calls'>, Type, Action>, 'data', undefined>;
/** What it is answered with. */
export type CallReply<C, Type, Action> = Field<Entry<Part<C, 'calls'>, Type, Action>, 'reply', null>;

/** The event name of a pair. */
type EventName<Type extends string, Action extends string> = Type extends 'event' ? Action : `${Type}:${Action}`;

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

/** The arguments behind the names of a request: its data, which may be left out where it can be undefined, and options. */
export type DataArguments<Data, Options> = undefined extends Data
  ? [data?: Data, options?: Options]
  : [data: Data, options?: Options];

/** The same without options. */
export type DataArgument<Data> = undefined extends Data ? [data?: Data] : [data: Data];
