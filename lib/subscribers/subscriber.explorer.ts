import { Injectable } from '@nestjs/common';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import type { WebSocketSubscriberHandler } from './subscriber.interface.js';
import { OptionChecks } from '../options/checks/option-checks.js';
import { resolveSubscriber, type ResolvedSubscriber } from './subscriber.options.js';
import { nameOf, ProviderScanner, type ProviderWrapper } from '../routing/discovery/provider.scanner.js';
import { whyRequestScoped } from '../routing/pipeline/request-scope.js';
import { subscribersOf } from './subscriber-metadata.js';

/** Finds the methods with `@WsSubscriber()`. */
@Injectable()
export class SubscriberExplorer {
  constructor(private readonly scanner: ProviderScanner) {}

  /**
   * @throws PxlWebSocketSetupError for a method of a request-scoped or transient provider
   * @throws PxlWebSocketOptionsError for wrong options; both name the method
   */
  explore(): ResolvedSubscriber[] {
    const hasSubscribers = (wrapper: ProviderWrapper): boolean =>
      this.scanner.methodsOf(wrapper).some(([, method]) => subscribersOf(method).length > 0);
    return this.scanner.find(hasSubscribers).flatMap((wrapper) => this.#subscribersOf(wrapper));
  }

  #subscribersOf(wrapper: ProviderWrapper): ResolvedSubscriber[] {
    return this.scanner.methodsOf(wrapper).flatMap(([methodName, method]) => {
      const source = `${nameOf(wrapper)}.${methodName}`;
      return subscribersOf(method).map((options) => {
        checkScope(wrapper, source);
        const handle: WebSocketSubscriberHandler = (context) =>
          (wrapper.instance as Record<string, WebSocketSubscriberHandler>)[methodName]?.(context);
        return resolveSubscriber(new OptionChecks(`@WsSubscriber(${source})`, options), source, handle);
      });
    });
  }
}

function checkScope(wrapper: ProviderWrapper, source: string): void {
  if (!wrapper.isTransient && wrapper.isDependencyTreeStatic()) return;
  const why = wrapper.isTransient
    ? 'its provider is transient, so it has no single instance'
    : `${whyRequestScoped(wrapper)}, and an event belongs to no request`;
  throw new PxlWebSocketSetupError(
    `${source} cannot be a subscriber: ${why}. Move it to a provider without such dependencies.`,
  );
}
