import { Param, Query, type PipeTransform, type Type } from '@nestjs/common';
import type { WsStandardSchema } from '../../runtime/standard-schema.js';
import { PARAM, QUERY } from '../pipeline/handler-params.js';
import { ROUTE_ARGS_METADATA } from '../pipeline/nest-internals.js';

/** A pipe as a class or a ready one. */
export type WsParamPipe = Type<PipeTransform> | PipeTransform;

/** What checks or changes a parameter: pipes, and a schema for Nest's `StandardSchemaValidationPipe` (Nest 12). */
export interface WsParamOptions {
  schema?: WsStandardSchema | undefined;
  pipes?: WsParamPipe[] | undefined;
}

/** A name or none, and pipes or options. */
type Arguments =
  | [...pipes: WsParamPipe[]]
  | [name: string, ...pipes: WsParamPipe[]]
  | [name: string, options: WsParamOptions]
  | [options: WsParamOptions];

/**
 * A parameter of the path of the client's endpoint, as `@Param()` of HTTP controllers: `@WsParam('tenant')` on a gateway of the
 * path `/ws/:tenant`. Without a name: all of them. Pipes work as they do there, and their refusal is the answer to the message.
 * On a method that handles messages, or on `handleConnection`, where a refusal refuses the connection.
 *
 * @example open(\@WsParam('id', ParseIntPipe) id: number) { ... }
 */
export function WsParam(...args: Arguments): ParameterDecorator {
  return decoratorOf(Param, PARAM, args);
}

/**
 * A parameter of the query of the client's upgrade request, as `@Query()` of HTTP controllers: undefined where it is missing, a
 * list where it stands there several times. Without a name: all of them, without those that the library reads itself. Pipes work
 * as they do there. On a method that handles messages, or on `handleConnection`.
 *
 * @example open(\@WsQuery('since', new ParseIntPipe({ optional: true })) since?: number) { ... }
 */
export function WsQuery(...args: Arguments): ParameterDecorator {
  return decoratorOf(Query, QUERY, args);
}

/** Nest's own decorator, with a schema as that of Nest 12 writes it: the one of Nest 11 takes pipes only. */
function decoratorOf(decorator: typeof Param | typeof Query, kind: number, args: Arguments): ParameterDecorator {
  const [first] = args;
  const name = typeof first === 'string' ? first : undefined;
  const given = args.filter((one) => typeof one !== 'string');
  const pipes = given.flatMap((one) => (isOptions(one) ? (one.pipes ?? []) : one));
  const schema = given.find(isOptions)?.schema;
  const decorate = name === undefined ? decorator(...pipes) : decorator(name, ...pipes);
  return (target, method, index) => {
    decorate(target, method, index);
    if (!schema || method === undefined) return;
    const params = Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, method) as Record<string, object>;
    const key = `${kind}:${index}`;
    Reflect.defineMetadata(
      ROUTE_ARGS_METADATA,
      { ...params, [key]: { ...params[key], schema } },
      target.constructor,
      method,
    );
  };
}

function isOptions(given: unknown): given is WsParamOptions {
  return typeof given === 'object' && given !== null && !('transform' in given);
}
