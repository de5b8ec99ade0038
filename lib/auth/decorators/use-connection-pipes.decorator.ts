import type { PipeTransform, Type } from '@nestjs/common';

/** The metadata key of `@UseConnectionPipes`, on the class. */
export const CONNECTION_PIPES_METADATA = 'pxl-websocket:connection-pipes';

/** A pipe as a class with dependencies, or a ready one. */
export type ConnectionPipe = Type<PipeTransform> | PipeTransform;

/**
 * Pipes for the parameters of a gateway's `handleConnection` that have a decorator, as `@WsParam()` and `@WsQuery()`; the client is
 * never piped. They come before the pipes that a parameter names itself, `@WsParam('id', ParseIntPipe)`. Global pipes and those of
 * `@UsePipes()` are for messages, and are not asked.
 *
 * All pipes of a connection run after its guards and before it is accepted, so that what they refuse is never a client. An
 * exception of the status 404 refuses with 404, one of 401 and 403 as a guard's does, every other that would not succeed later (4xx
 * but 408 and 429, a `WsError` that is not retryable) with 400, anything else thrown with 500. Clients that read close codes get 4522
 * for 400 and 404. What the pipes make is the argument.
 */
export function UseConnectionPipes(...pipes: ConnectionPipe[]): ClassDecorator {
  return (target) => Reflect.defineMetadata(CONNECTION_PIPES_METADATA, pipes, target);
}
