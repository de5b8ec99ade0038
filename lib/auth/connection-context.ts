/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- the signatures are Nest's */
import type { ExecutionContext, Type } from '@nestjs/common';

type Method = (...args: unknown[]) => unknown;
type Args = [client: object, data: undefined, pattern: string];

/** What `getPattern()` returns for a connection. */
const PATTERN = 'connection';

/** The execution context of a connection's guards, pipes and interceptors: of type `ws`, before there is a message. */
export class ConnectionContext implements ExecutionContext {
  readonly #args: Args;

  /**
   * @param client the candidate, or, once it is accepted, the client
   * @param type the gateway that has the guard
   * @param method its `handleConnection`, or an empty function: guards read metadata from both
   */
  constructor(
    client: object,
    private readonly type: Type<unknown>,
    private readonly method: Method,
  ) {
    this.#args = [client, undefined, PATTERN];
  }

  getClass<T>(): Type<T> {
    return this.type as Type<T>;
  }

  getHandler(): Method {
    return this.method;
  }

  getArgs<T extends unknown[]>(): T {
    return this.#args as unknown[] as T;
  }

  getArgByIndex<T>(index: number): T {
    return this.#args[index] as T;
  }

  getType<T extends string>(): T {
    return 'ws' as T;
  }

  switchToWs(): ReturnType<ExecutionContext['switchToWs']> {
    const [client, data, pattern] = this.#args;
    return { getClient: <T>() => client as T, getData: <T>() => data as T, getPattern: () => pattern };
  }

  /** @throws TypeError a connection is a WebSocket */
  switchToHttp(): never {
    throw new TypeError('A connection has a ws context: use switchToWs().getClient().request.');
  }

  /** @throws TypeError a connection is a WebSocket */
  switchToRpc(): never {
    throw new TypeError('A connection has a ws context: use switchToWs().');
  }
}
