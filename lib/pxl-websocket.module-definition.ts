import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { PxlWebSocketModuleOptions } from './pxl-websocket.module-options.js';
import { CONFIGURED_PROVIDER } from './options/checks/configured.js';

/** `forRoot` and `forRootAsync`, and the token of the options as they were given. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<PxlWebSocketModuleOptions>()
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
      ...definition,
      global: isGlobal,
      providers: [...(definition.providers ?? []), CONFIGURED_PROVIDER],
    }))
    .build();
