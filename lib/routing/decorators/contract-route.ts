import type { Observable } from 'rxjs';
import type { WsClient } from '../../ws-client/ws-client.js';
import type { WsRequest, WsRequestParams, WsRequestQuery } from '../../ws-client/ws-request.js';
import type {
  WsAnyAction,
  CallAction,
  CallData,
  CallReply,
  CallType,
  PushAction,
  PushData,
  PushType,
  RouteAction,
  RouteData,
  RouteReply,
  RouteType,
  StreamAction,
  StreamValue,
  WebSocketContract,
} from '../../protocol/contract.js';
import type { WebSocketType } from '../../protocol/messages.js';

/** `WsRoute` for the routes of a contract; of the side of a client for its pushes and calls. */
export type WsContractRoute<C extends WebSocketContract, Side extends WebSocketType = 'server'> = Side extends 'client'
  ? <Type extends PushType<C> | CallType<C>, Action extends PushAction<C, Type> | CallAction<C, Type>>(
      type: Type,
      action: Action,
    ) => RouteDecorator<C, Heard<C, Type, Action>, Answered<C, Type, Action>>
  : <Type extends RouteType<C>, Action extends WsAnyAction<C, Type>>(
      type: Type,
      action: Action,
    ) => RouteDecorator<C, RouteData<C, Type, Action>, Reply<C, Type, Action>>;

/** On a method that takes such data and returns such a reply. */
type RouteDecorator<C extends WebSocketContract, Data, Reply> = <Method extends AnyMethod>(
  target: object,
  name: string | symbol,
  descriptor: { readonly value?: Method } & { readonly value?: Fitting<C, Data, Reply, Method> },
) => void;

type AnyMethod = (...args: never[]) => unknown;

/** A reply: one value, or many. */
interface One<Value> {
  readonly one: Value;
}
interface Many<Value> {
  readonly many: Value;
}
/** Nothing is asked of what the method returns. */
interface Any {
  readonly any: true;
}

type Reply<C, Type extends RouteType<C>, Action extends WsAnyAction<C, Type>> = Action extends StreamAction<C, Type> &
  RouteAction<C, Type>
  ? Any
  : Action extends StreamAction<C, Type>
    ? Many<StreamValue<C, Type, Action>>
    : One<RouteReply<C, Type, Action>>;

type Heard<C, Type, Action> =
  | (Type extends PushType<C> ? (Action extends PushAction<C, Type> ? PushData<C, Type, Action> : never) : never)
  | (Type extends CallType<C> ? (Action extends CallAction<C, Type> ? CallData<C, Type, Action> : never) : never);

type Answered<C, Type, Action> =
  Type extends CallType<C> ? (Action extends CallAction<C, Type> ? One<CallReply<C, Type, Action>> : Any) : Any;

/** The method as it has to be: what does not fit in it has the type that does. */
type Fitting<C extends WebSocketContract, Data, Reply, Method extends AnyMethod> = (
  ...args: FittingParameters<C, Data, Parameters<Method>>
) => HasCallback<Parameters<Method>> extends true ? unknown : FittingReturn<Reply, ReturnType<Method>>;

/** What the library hands in beside the data: the client, its user or a field of it, the request, the client's id. */
type Given<C extends WebSocketContract> = WsClient<C> | WsClient['user'] | WsRequest | string | null | undefined;

/** Parameters of which one takes the data, or none is left for it. */
type FittingParameters<C extends WebSocketContract, Data, Args extends readonly unknown[]> =
  TakesData<Data, Args> extends true
    ? Args
    : { [Index in keyof Args]: IsGiven<C, Args[Index]> extends true ? Args[Index] : Data };

type TakesData<Data, Args extends readonly unknown[]> = true extends {
  [Index in keyof Args]: Data | FieldOf<Data> extends never ? false : Takes<Args[Index], Data | FieldOf<Data>>;
}[number]
  ? true
  : false;

/** Whether a parameter takes one of several things. */
type Takes<Arg, Things> = true extends (Things extends Arg ? true : false) ? true : false;
type IsGiven<C extends WebSocketContract, Arg> = true extends
  Takes<Arg, Given<C>> | IsSame<Arg, WsRequestParams> | IsSame<Arg, WsRequestQuery> | IsCallback<Arg>
  ? true
  : false;
/** Other objects of optional fields would take parameters as well. */
type IsSame<Arg, Part> = [Arg, Part] extends [Part, Arg] ? true : false;
type IsCallback<Arg> = Arg extends (...args: never[]) => unknown ? true : false;
type HasCallback<Args extends readonly unknown[]> = true extends {
  [Index in keyof Args]: IsCallback<Args[Index]>;
}[number]
  ? true
  : false;
type FieldOf<Data> = Data extends object ? Data[keyof Data] : never;

/** What has to be returned, in the form in which it is. */
type FittingReturn<Reply, Returned> =
  Reply extends One<infer Value>
    ? Returned extends Promise<unknown>
      ? Promise<Value | Nothing<Value>>
      : Returned extends Observable<unknown>
        ? Observable<Value>
        : Value | Nothing<Value>
    : Reply extends Many<infer Value>
      ? Returned extends Promise<infer Later>
        ? Promise<Stream<Value, Later>>
        : Stream<Value, Returned>
      : unknown;

type Stream<Value, Returned> = Returned extends Observable<unknown> ? Observable<Value> : AsyncIterable<Value>;

/** A handler that returns nothing answers null. */
type Nothing<Value> = null extends Value ? ReturnType<() => void> : Value;
