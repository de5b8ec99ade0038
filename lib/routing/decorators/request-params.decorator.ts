import { Param, Query, type PipeTransform, type Type } from '@nestjs/common';
import type { WsStandardSchema } from '../../runtime/standard-schema.js';

/** A pipe as a class or a ready one. */
export type WsParamPipe = Type<PipeTransform> | PipeTransform;

/** What checks or changes a parameter: pipes, and a schema for Nest's `StandardSchemaValidationPipe` (Nest 12). */
export interface WsParamOptions {
  schema?: WsStandardSchema | undefined;
  pipes?: WsParamPipe[] | undefined;
}

/** A name or none, and pipes or options. */
type Arguments =
  [...pipes: WsParamPipe[]] | [name: string, ...pipes: WsParamPipe[]] | [name: string, options: WsParamOptions];

/**
 * A parameter of the path of the client's endpoint, as `@Param()` of HTTP controllers: `@WsParam('tenant')` on a gateway of the
 * path `/ws/:tenant`. Without a name: all of them. Pipes work as they do there, and their refusal is the answer to the message.
 * On a method that handles messages, or on `handleConnection`, where a refusal refuses the connection.
 *
 * @example open(\@WsParam('id', ParseIntPipe) id: number) { ... }
 */
export function WsParam(...args: Arguments | [options: WsParamOptions]): ParameterDecorator {
  return Reflect.apply(Param, undefined, args) as ParameterDecorator;
}

/**
 * A parameter of the query of the client's upgrade request, as `@Query()` of HTTP controllers: undefined where it is missing, a
 * list where it stands there several times. Without a name: all of them, without those that the library reads itself. Pipes work
 * as they do there. On a method that handles messages, or on `handleConnection`.
 *
 * @example open(\@WsQuery('since', new ParseIntPipe({ optional: true })) since?: number) { ... }
 */
export function WsQuery(...args: Arguments | [options: WsParamOptions]): ParameterDecorator {
  return Reflect.apply(Query, undefined, args) as ParameterDecorator;
}
