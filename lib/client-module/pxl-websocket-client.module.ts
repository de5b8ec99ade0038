import { Inject, Module, Optional, type DynamicModule } from '@nestjs/common';
import { CONFIGURED, checkConfigured } from '../options/configured.js';
import { ClientsModule } from './clients.module.js';
import { ASYNC_OPTIONS_TYPE, ConfigurableModuleClass, OPTIONS_TYPE } from './pxl-websocket-client.module-definition.js';

/**
 * This application as a client of another server: an injectable `WebSocketClient` that connects when the application has
 * started and disconnects when it is closed, and `@WebSocketClientController()` classes for what the server sends. Imported
 * once for each client, with a `name` from the second one on.
 */
@Module({ imports: [ClientsModule] })
export class PxlWebSocketClientModule extends ConfigurableModuleClass {
  constructor(@Optional() @Inject(CONFIGURED) isConfigured?: boolean) {
    super();
    checkConfigured(isConfigured, PxlWebSocketClientModule.name);
  }

  /** Registers a client with its options. */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    return super.forRoot(options);
  }

  /** Registers a client with options that resolve later; `name` and `isGlobal` stand beside `useFactory`. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }
}
