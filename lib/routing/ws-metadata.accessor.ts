import { Injectable } from '@nestjs/common';
import { ROUTES_METADATA, type RouteMetadata } from './route-metadata.js';

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

  /** Undefined for a class without `@WebSocketGateway()`. */
  gatewayOf(metatype: object): GatewayAddress | undefined {
    if (!Reflect.getMetadata('websockets:is_gateway', metatype)) return undefined;
    const options = (Reflect.getMetadata('websockets:gateway_options', metatype) ?? {}) as { path?: string };
    const port = (Reflect.getMetadata('port', metatype) ?? 0) as number;
    return { port, path: options.path };
  }
}
