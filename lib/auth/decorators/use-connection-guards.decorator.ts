import type { CanActivate, Type } from '@nestjs/common';

/** The metadata key of `@UseConnectionGuards`, on the class. */
export const CONNECTION_GUARDS_METADATA = 'pxl-websocket:connection-guards';

/** A guard as a class with dependencies, or a ready one. */
export type ConnectionGuard = Type<CanActivate> | CanActivate;

/**
 * Guards of the connection itself, on a gateway: they run once the client's identity is known and before the connection
 * is accepted, after those of the option `connectionGuards`. Their context is of type `ws`;
 * `context.switchToWs().getClient()` is a `ConnectionCandidate` with `request`, `user`, `metadata` and `clientId`.
 *
 * Only true lets the connection in. Any other answer, or an `UnauthorizedException`, refuses with 401, a
 * `ForbiddenException` with 403, anything else thrown with 500.
 */
export function UseConnectionGuards(...guards: ConnectionGuard[]): ClassDecorator {
  return (target) => Reflect.defineMetadata(CONNECTION_GUARDS_METADATA, guards, target);
}
