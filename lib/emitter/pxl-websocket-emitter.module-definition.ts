import { ConfigurableModuleBuilder } from '@nestjs/common';
import { CONFIGURED_PROVIDER } from '../options/checks/configured.js';
import type { WebSocketEmitterOptions } from './websocket-emitter.js';

/** `forRoot` and `forRootAsync` of the emitter's module, and the token of its options. */
export const { ConfigurableModuleClass: ConfigurableEmitterModule, MODULE_OPTIONS_TOKEN: EMITTER_OPTIONS } =
  new ConfigurableModuleBuilder<WebSocketEmitterOptions>()
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({
      ...definition,
      global: isGlobal,
      providers: [...(definition.providers ?? []), CONFIGURED_PROVIDER],
    }))
    .build();
