/* eslint-disable @typescript-eslint/no-unnecessary-type-parameters -- the signatures are Nest's */
import type { ExecutionContext, Type } from '@nestjs/common';
import type { ConnectionCandidate } from './connection-candidate.js';

type Method = (...args: unknown[]) => unknown;
type Args = [client: ConnectionCandidate, data: undefined, pattern: string];

/** What `getPattern()` returns in a connection guard. */
const PATTERN = 'connection';

/** The execution context of a connection guard: of type `ws`, before there is a message. */
export class ConnectionContext implements ExecutionContext {
  readonly #args: Args;

  /**
   * @param type the gateway that has the guard
   * @param method its `handleConnection`, or an empty function: guards read metadata from both
   */
  constructor(
    candidate: ConnectionCandidate,
    private readonly type: Type<unknown>,
    private readonly method: Method,
  ) {
    this.#args = [candidate, undefined, PATTERN];
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

  /** @throws TypeError a connection guard runs for WebSockets only */
  switchToHttp(): never {
    throw new TypeError('A connection guard has a ws context: use switchToWs().getClient().request.');
  }

  /** @throws TypeError a connection guard runs for WebSockets only */
  switchToRpc(): never {
    throw new TypeError('A connection guard has a ws context: use switchToWs().');
  }
}
