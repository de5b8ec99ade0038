import { Injectable, type ArgumentMetadata, type NestInterceptor, type PipeTransform, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { ConnectionContext } from '../../auth/connection-context.js';
import { connectionHandlerOf } from '../../auth/connection-guards.js';
import type { ConnectionInterceptor } from '../../auth/decorators/use-connection-interceptors.decorator.js';
import type { ConnectionPipe } from '../../auth/decorators/use-connection-pipes.decorator.js';
import { RuleFactory, type InstanceSource } from '../../auth/rule-factory.js';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import { describeEnhancer, isEnhancer } from '../../options/checks/enhancer-checks.js';
import { ConnectionStage, type ConnectionParam } from './connection-stage.js';
import { ACK, extractorOf, kindOf, PARAM, PAYLOAD, QUERY, SOCKET, type ParamsMetadata } from './handler-params.js';
import { ROUTE_ARGS_METADATA } from './nest-internals.js';

/** What pipes get as the type of a parameter. */
const TYPES: Readonly<Partial<Record<number | string, 'param' | 'query'>>> = { [PARAM]: 'param', [QUERY]: 'query' };

/** A gateway, and what it names for its connections. */
export interface ConnectionSource {
  /** For messages. */
  readonly name: string;
  readonly type: Type;
  readonly pipes: readonly ConnectionPipe[];
  readonly interceptors: readonly ConnectionInterceptor[];
}

/** Compiles what stands around the `handleConnection` of gateways. */
@Injectable()
export class ConnectionPipeline {
  constructor(private readonly rules: RuleFactory) {}

  /**
   * Null for a gateway whose hook is called as it is.
   *
   * @param moduleRef of the gateway's module, whose providers its pipes and interceptors can inject
   * @throws PxlWebSocketSetupError for what has no effect, and when a pipe or an interceptor cannot be made
   */
  async compile(source: ConnectionSource, moduleRef: ModuleRef): Promise<ConnectionStage | null> {
    const { name, type, pipes, interceptors } = source;
    this.#checkHooks(source);
    const decorated = Object.entries(paramsOf(type, 'handleConnection'));
    if (pipes.length > 0 && decorated.every(([key]) => kindOf(key) === SOCKET)) {
      throw refusal('@UseConnectionPipes(...)', name, 'no parameter of its handleConnection has a decorator');
    }
    if (decorated.length === 0 && interceptors.length === 0) return null;
    const params = decorated.map(([key, param]) => this.#paramOf(source, key, param, moduleRef));
    const around = interceptors.map((interceptor) =>
      this.#sourceOf<NestInterceptor>(
        interceptor,
        'intercept',
        `@UseConnectionInterceptors(...) on ${name}`,
        moduleRef,
      ),
    );
    return new ConnectionStage(type, connectionHandlerOf(type), await Promise.all(params), await Promise.all(around));
  }

  async #paramOf(
    { name, type, pipes }: ConnectionSource,
    key: string,
    { index, data, pipes: own, factory, schema }: ParamsMetadata[string],
    moduleRef: ModuleRef,
  ): Promise<ConnectionParam> {
    const kind = kindOf(key);
    const types = Reflect.getMetadata('design:paramtypes', type.prototype as object, 'handleConnection') as
      ArgumentMetadata['metatype'][] | undefined;
    const all = kind === SOCKET ? [] : [...pipes, ...(own as ConnectionPipe[])];
    const sources = all.map((pipe) =>
      this.#sourceOf<PipeTransform>(pipe, 'transform', `handleConnection of ${name}`, moduleRef),
    );
    const ofKind = extractorOf(kind, data);
    const method = connectionHandlerOf(type);
    return {
      index,
      extract: factory
        ? (client) => factory(data, new ConnectionContext(client, type, method))
        : (client) => ofKind([client, undefined, '']),
      pipes: await Promise.all(sources),
      argument: { metatype: types?.[index], type: TYPES[kind] ?? 'custom', data: data as string, schema },
    };
  }

  async #sourceOf<T extends object>(
    enhancer: Type<T> | T,
    method: string,
    where: string,
    moduleRef: ModuleRef,
  ): Promise<InstanceSource<T>> {
    if (!isEnhancer(enhancer, method)) {
      throw new PxlWebSocketSetupError(
        `${where} names ${describeEnhancer(enhancer, method)}: it has to have a method ${method}.`,
      );
    }
    return typeof enhancer === 'function' ? this.rules.sourceOf(enhancer, moduleRef) : () => enhancer;
  }

  #checkHooks({ name, type }: ConnectionSource): void {
    const kinds = (hook: string): (number | string)[] => Object.keys(paramsOf(type, hook)).map(kindOf);
    const atBegin = kinds('handleConnection');
    const hook = `${name}.handleConnection`;
    if (atBegin.includes(PAYLOAD)) throw refusal('@MessageBody()', hook, 'a connection brings no message');
    if (atBegin.includes(ACK)) throw refusal('@Ack()', hook, 'a connection brings no message');
    const atEnd = kinds('handleDisconnect');
    const why = 'it gets (client, reason, code), and client.request has the parameters';
    if (atEnd.includes(PARAM)) throw refusal('@WsParam(...)', `${name}.handleDisconnect`, why);
    if (atEnd.includes(QUERY)) throw refusal('@WsQuery(...)', `${name}.handleDisconnect`, why);
  }
}

function paramsOf(type: Type, method: string): ParamsMetadata {
  return (Reflect.getMetadata(ROUTE_ARGS_METADATA, type, method) as ParamsMetadata | undefined) ?? {};
}

function refusal(decorator: string, where: string, why: string): PxlWebSocketSetupError {
  return new PxlWebSocketSetupError(`${decorator} has no effect on ${where}: ${why}.`);
}
