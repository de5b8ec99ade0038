import { Injectable } from '@nestjs/common';
import {
  CONNECTION_GUARDS_METADATA,
  type ConnectionGuard,
} from '../../auth/decorators/use-connection-guards.decorator.js';
import {
  CONNECTION_INTERCEPTORS_METADATA,
  type ConnectionInterceptor,
} from '../../auth/decorators/use-connection-interceptors.decorator.js';
import {
  CONNECTION_PIPES_METADATA,
  type ConnectionPipe,
} from '../../auth/decorators/use-connection-pipes.decorator.js';
import { RATE_LIMIT_METADATA } from '../../limits/decorators/ws-rate-limit.decorator.js';
import type { WsRate } from '../../limits/rate-store.interface.js';
import {
  CLIENT_CONTROLLER_METADATA,
  FALLBACK_METADATA,
  ROUTES_METADATA,
  type RouteMetadata,
} from './route-metadata.js';

/** Where a gateway wants to be reached: the arguments of Nest's `@WebSocketGateway(port?, { path? })`. */
export interface GatewayAddress {
  /** 0 is the application's own HTTP server. */
  readonly port: number;
  readonly path: string | undefined;
}

/** Reads what decorators wrote; the keys of Nest's own ones are strings that its packages share. */
@Injectable()
export class WsMetadataAccessor {
  routesOf(method: unknown): readonly RouteMetadata[] {
    return (typeof method === 'function' && (Reflect.getMetadata(ROUTES_METADATA, method) as RouteMetadata[])) || [];
  }

  /** The name of a `@SubscribeMessage(name)` method, whatever it is; undefined for any other method. */
  messageOf(method: unknown): { readonly name: unknown } | undefined {
    if (typeof method !== 'function' || !Reflect.getMetadata('websockets:message_mapping', method)) return undefined;
    return { name: Reflect.getMetadata('message', method) as unknown };
  }

  /** Whether it is a `@WsFallback()` method. */
  isFallback(method: unknown): boolean {
    return typeof method === 'function' && Reflect.getMetadata(FALLBACK_METADATA, method) === true;
  }

  connectionGuardsOf(metatype: object): readonly ConnectionGuard[] {
    return (Reflect.getMetadata(CONNECTION_GUARDS_METADATA, metatype) as ConnectionGuard[] | undefined) ?? [];
  }

  connectionPipesOf(metatype: object): readonly ConnectionPipe[] {
    return (Reflect.getMetadata(CONNECTION_PIPES_METADATA, metatype) as ConnectionPipe[] | undefined) ?? [];
  }

  connectionInterceptorsOf(metatype: object): readonly ConnectionInterceptor[] {
    const interceptors: unknown = Reflect.getMetadata(CONNECTION_INTERCEPTORS_METADATA, metatype);
    return (interceptors as ConnectionInterceptor[] | undefined) ?? [];
  }

  /** Undefined for a method without `@WsRateLimit()`. */
  rateOf(method: unknown): WsRate | undefined {
    return typeof method === 'function' ? (Reflect.getMetadata(RATE_LIMIT_METADATA, method) as WsRate) : undefined;
  }

  /** The client whose server a class hears; undefined for a class without `@WebSocketClientController()`. */
  clientOf(metatype: object): string | undefined {
    return Reflect.getMetadata(CLIENT_CONTROLLER_METADATA, metatype) as string | undefined;
  }

  /** Undefined for a class without `@WebSocketGateway()`. */
  gatewayOf(metatype: object): GatewayAddress | undefined {
    if (!Reflect.getMetadata('websockets:is_gateway', metatype)) return undefined;
    const options = (Reflect.getMetadata('websockets:gateway_options', metatype) ?? {}) as { path?: string };
    const port = (Reflect.getMetadata('port', metatype) ?? 0) as number;
    return { port, path: options.path };
  }
}
