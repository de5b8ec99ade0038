import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage } from 'node:http';
import type { ArgumentMetadata, NestInterceptor, PipeTransform, Type } from '@nestjs/common';
import { defer, from, lastValueFrom, mergeMap, type Observable } from 'rxjs';
import type { ConnectionCandidate } from '../../auth/connection-candidate.js';
import { ConnectionContext } from '../../auth/connection-context.js';
import type { InstanceSource } from '../../auth/rule-factory.js';
import type { WsClient } from '../../ws-client/ws-client.js';
import { pipedThrough, type Method } from './pipeline-steps.js';

/** A decorated parameter of `handleConnection`. */
export interface ConnectionParam {
  readonly index: number;
  readonly extract: (client: object) => unknown;
  readonly pipes: readonly InstanceSource<PipeTransform>[];
  /** The description of the argument that pipes get. */
  readonly argument: ArgumentMetadata;
}

/** The arguments that pipes have made, by their places. */
export type PreparedArguments = ReadonlyMap<number, unknown>;

/** What stands around the `handleConnection` of one gateway: its parameters with their pipes, and its interceptors. */
export class ConnectionStage {
  constructor(
    private readonly type: Type,
    private readonly method: Method,
    private readonly params: readonly ConnectionParam[],
    private readonly interceptors: readonly InstanceSource<NestInterceptor>[],
  ) {}

  /** Whether a parameter passes a pipe, so that a connection may be refused. */
  get hasPipes(): boolean {
    return this.params.some(({ pipes }) => pipes.length > 0);
  }

  /** Makes the arguments that pass a pipe, all at once; rejects with what one throws. */
  async prepare(candidate: ConnectionCandidate | WsClient): Promise<PreparedArguments> {
    const piped = this.params.filter(({ pipes }) => pipes.length > 0);
    const made = piped.map(async ({ index, extract, pipes, argument }): Promise<[number, unknown]> => {
      const instances = await Promise.all(pipes.map(async (source) => source(candidate.request)));
      return [index, await pipedThrough(extract(candidate), instances, argument)];
    });
    return new Map(await Promise.all(made));
  }

  /** All arguments of `handleConnection`: where a parameter has no decorator, the client and the request are in their places. */
  argumentsOf(prepared: PreparedArguments, client: WsClient, request: IncomingMessage): unknown[] {
    const args: unknown[] = [client, request];
    for (const { index, extract } of this.params) {
      args[index] = prepared.has(index) ? prepared.get(index) : extract(client);
    }
    return args;
  }

  /** Calls the hook within the interceptors, and waits for the end of what the outermost returns. */
  async run(client: WsClient, hook: () => unknown): Promise<void> {
    const interceptors = await Promise.all(this.interceptors.map(async (source) => source(client)));
    const context = new ConnectionContext(client, this.type, this.method);
    const next = (at: number): Observable<unknown> => {
      const interceptor = interceptors[at];
      if (!interceptor) return from(Promise.resolve(hook()));
      // What an interceptor has set when it calls `handle` holds for what is inside of it, as for messages.
      const handle = (): Observable<unknown> => defer(AsyncResource.bind(() => next(at + 1)));
      return defer(async () => interceptor.intercept(context, { handle })).pipe(mergeMap((inner) => inner));
    };
    await lastValueFrom(next(0), { defaultValue: undefined });
  }
}
