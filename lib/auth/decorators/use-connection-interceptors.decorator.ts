import type { NestInterceptor, Type } from '@nestjs/common';

/** The metadata key of `@UseConnectionInterceptors`, on the class. */
export const CONNECTION_INTERCEPTORS_METADATA = 'pxl-websocket:connection-interceptors';

/** An interceptor as a class with dependencies, or a ready one. */
export type ConnectionInterceptor = Type<NestInterceptor> | NestInterceptor;

/**
 * Interceptors around a gateway's `handleConnection`, the first one outermost; of a gateway without one, around nothing. Global
 * interceptors and those of `@UseInterceptors()` are for messages, and do not run.
 *
 * `context.switchToWs().getClient()` is the `WsClient`. The first message waits for the end of what they return; an error there
 * closes the connection with 1011, as one of `handleConnection` does, and all of it has `timeouts.hook`.
 */
export function UseConnectionInterceptors(...interceptors: ConnectionInterceptor[]): ClassDecorator {
  return (target) => Reflect.defineMetadata(CONNECTION_INTERCEPTORS_METADATA, interceptors, target);
}
