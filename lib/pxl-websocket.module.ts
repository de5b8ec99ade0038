import { Module, type DynamicModule } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import type { PxlWebSocketModuleOptions } from './pxl-websocket.module-options.js';
import { CONFIGURED, checkConfigured } from './options/checks/configured.js';
import { PROVIDERS } from './providers.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
} from './pxl-websocket.module-definition.js';
import { PXL_WS_OPTIONS } from './pxl-websocket.options.js';
import { resolveOptions } from './pxl-websocket.module-options.js';
import { QueueSurroundings } from './queue/queue-surroundings.js';
import { PXL_WS_REDIS } from './redis/link/redis-client.js';
import { ClientManager } from './server/facade/client-manager.js';
import { PxlWebSocketServer } from './server/facade/pxl-websocket-server.js';
import { RoomManager } from './server/facade/room-manager.js';
import { WebSocketService } from './server/facade/websocket.service.js';
import { PxlWebSocketHealthIndicator } from './server/monitoring/websocket.health-indicator.js';
import { PxlWsAdapterModule } from './transport/endpoint/pxl-ws-adapter.module.js';
import { WIRING } from './wiring.js';

/**
 * Real-time messaging over plain WebSockets. Import it once, with `forRoot()` or `forRootAsync()`; it registers its own
 * WebSocket adapter and is global unless `isGlobal: false` is given.
 */
@Module({
  imports: [DiscoveryModule, PxlWsAdapterModule],
  providers: [
    {
      provide: PXL_WS_OPTIONS,
      useFactory: (isConfigured: boolean | undefined, options: PxlWebSocketModuleOptions) => {
        checkConfigured(isConfigured, PxlWebSocketModule.name);
        return resolveOptions(options);
      },
      inject: [
        { token: CONFIGURED, optional: true },
        { token: MODULE_OPTIONS_TOKEN, optional: true },
      ],
    },
    ...PROVIDERS,
    ...WIRING,
  ],
  exports: [
    ClientManager,
    PXL_WS_REDIS,
    PxlWebSocketHealthIndicator,
    PxlWebSocketServer,
    QueueSurroundings,
    RoomManager,
    WebSocketService,
  ],
})
export class PxlWebSocketModule extends ConfigurableModuleClass {
  /** Registers the module with its options; without any it serves `/ws` from this one process. */
  static override forRoot(options: PxlWebSocketModuleOptions & { isGlobal?: boolean } = {}): DynamicModule {
    return super.forRoot(options);
  }

  /** Registers the module with options that resolve later: `useFactory`, `useClass` or `useExisting`. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}
