import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { HandlerScanner } from '../routing/discovery/handler.scanner.js';
import { ProviderScanner } from '../routing/discovery/provider.scanner.js';
import { CLIENT_CONTROLLERS } from '../routing/discovery/route-metadata.js';
import { WsMetadataAccessor } from '../routing/discovery/ws-metadata.accessor.js';
import { Runtime } from '../runtime/runtime.js';
import { ClientLifecycle } from './client.lifecycle.js';
import { ClientRegistry } from './client.registry.js';
import { ControllerExplorer } from './controller.explorer.js';

/** The providers that all clients of an application share; each `PxlWebSocketClientModule` imports this module. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: CLIENT_CONTROLLERS, useExisting: ControllerExplorer },
    ClientLifecycle,
    ClientRegistry,
    ControllerExplorer,
    HandlerScanner,
    ProviderScanner,
    Runtime,
    WsMetadataAccessor,
  ],
  exports: [CLIENT_CONTROLLERS, ClientRegistry],
})
export class ClientsModule {}
