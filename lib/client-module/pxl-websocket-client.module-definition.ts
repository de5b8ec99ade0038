import { ConfigurableModuleBuilder, type Provider } from '@nestjs/common';
import { CONFIGURED_PROVIDER } from '../options/checks/configured.js';
import { DEFAULT_CLIENT, getWebSocketClientToken } from './client-token.js';
import type { PxlWebSocketClientModuleOptions } from './client-module-options.interface.js';
import { ClientRegistry } from './client.registry.js';

/** The token of a client's unresolved options, in the module of that client. */
export const CLIENT_MODULE_OPTIONS = Symbol('CLIENT_MODULE_OPTIONS');

/** The base class with `forRoot` and `forRootAsync` for one client. */
export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<PxlWebSocketClientModuleOptions>({ optionsInjectionToken: CLIENT_MODULE_OPTIONS })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true, name: DEFAULT_CLIENT }, (definition, { isGlobal, name }) => {
      const token = getWebSocketClientToken(name);
      const client: Provider = {
        provide: token,
        useFactory: (registry: ClientRegistry, options: PxlWebSocketClientModuleOptions) =>
          registry.create(name, options),
        inject: [ClientRegistry, CLIENT_MODULE_OPTIONS],
      };
      return {
        ...definition,
        global: isGlobal,
        providers: [...(definition.providers ?? []), CONFIGURED_PROVIDER, client],
        exports: [token],
      };
    })
    .build();
