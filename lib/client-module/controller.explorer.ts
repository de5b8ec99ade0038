import { Injectable } from '@nestjs/common';
import { ApplicationConfig, ModuleRef, ModulesContainer } from '@nestjs/core';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { eventOfRoute } from '../protocol/route-key.js';
import { HandlerScanner, type HandlerMethod } from '../routing/discovery/handler.scanner.js';
import { classOf, nameOf, type ProviderWrapper } from '../routing/discovery/provider.scanner.js';
import { WsMetadataAccessor } from '../routing/discovery/ws-metadata.accessor.js';
import { PARAM, QUERY } from '../routing/pipeline/handler-params.js';
import { WsPipeline } from '../routing/pipeline/ws-pipeline.js';
import { ClientRegistry, type RegisteredClient } from './client.registry.js';

/** The parameters that only handlers of a server have. */
const OF_UPGRADES = [
  [PARAM, '@WsParam(...)'],
  [QUERY, '@WsQuery(...)'],
] as const;

/** Finds the client controllers at start-up and makes their methods handlers of their clients. */
@Injectable()
export class ControllerExplorer {
  constructor(
    private readonly registry: ClientRegistry,
    private readonly scanner: HandlerScanner,
    private readonly accessor: WsMetadataAccessor,
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly moduleRef: ModuleRef,
  ) {}

  /**
   * @throws PxlWebSocketSetupError for a controller whose client does not exist, and for decorators that it cannot have
   * @throws DuplicateWsRouteError for two methods with the same route of a client
   */
  explore(): void {
    for (const wrapper of this.scanner.clientControllers()) {
      const { routes, options } = this.#clientOf(wrapper);
      const pipeline = new WsPipeline(this.modules, this.config, this.moduleRef, options);
      this.#refuseConnectionEnhancers(wrapper);
      for (const method of this.scanner.methodsOf(wrapper)) {
        const { methodName, source } = method;
        checkMethod(method, pipeline.takesAck({ wrapper, methodName }));
        for (const [kind, decorator] of OF_UPGRADES) {
          if (!pipeline.takes({ wrapper, methodName }, kind)) continue;
          throw refusal(decorator, source, 'its client has no upgrade request, it is the one that connects');
        }
        for (const { type, action } of method.routes) {
          const handle = pipeline.compile({ wrapper, methodName, pattern: eventOfRoute(type, action) });
          routes.add({ type, action, source, handle });
        }
      }
    }
  }

  #refuseConnectionEnhancers(wrapper: ProviderWrapper): void {
    const type = classOf(wrapper);
    const named = {
      '@UseConnectionGuards(...)': this.accessor.connectionGuardsOf(type),
      '@UseConnectionPipes(...)': this.accessor.connectionPipesOf(type),
      '@UseConnectionInterceptors(...)': this.accessor.connectionInterceptorsOf(type),
    };
    for (const [decorator, enhancers] of Object.entries(named)) {
      if (enhancers.length > 0) throw refusal(decorator, nameOf(wrapper), 'nobody connects to it');
    }
  }

  #clientOf(wrapper: ProviderWrapper): RegisteredClient {
    const name = this.accessor.clientOf(classOf(wrapper)) ?? '';
    const registered = this.registry.find(name);
    if (registered) return registered;
    const names = this.registry.all.map((client) => `"${client.name}"`).join(', ');
    throw new PxlWebSocketSetupError(
      `${nameOf(wrapper)} is a controller of the WebSocket client "${name}", but the clients are ${names}: ` +
        'PxlWebSocketClientModule.forRoot(...) makes one, and its option name is what the controller has to name.',
    );
  }
}

function checkMethod({ source, isFallback, rate }: HandlerMethod, takesAck: boolean): void {
  if (isFallback) throw refusal('@WsFallback()', source, 'a client controller handles the routes that it names');
  if (rate) throw refusal('@WsRateLimit(...)', source, 'it limits what clients of a gateway send');
  if (takesAck) throw refusal('@Ack()', source, 'what the method returns is the answer');
}

function refusal(decorator: string, where: string, why: string): PxlWebSocketSetupError {
  return new PxlWebSocketSetupError(`${decorator} has no effect on ${where}: ${why}.`);
}
