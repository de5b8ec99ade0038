import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { HandlerSource } from '../pipeline/ws-pipeline.js';

/** A provider or controller, as Nest keeps it. */
export type ProviderWrapper = HandlerSource['wrapper'];

/** Walks the application's providers and controllers. */
@Injectable()
export class ProviderScanner {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /** One of each class that `isWanted`, however many modules provide it. */
  find(isWanted: (wrapper: ProviderWrapper) => boolean): ProviderWrapper[] {
    const wrappers = [...this.discovery.getProviders(), ...this.discovery.getControllers()] as ProviderWrapper[];
    const byClass = new Map<object, ProviderWrapper>();
    for (const wrapper of wrappers) {
      if (wrapper.isAlias || !isObject(wrapper.instance) || byClass.has(classOf(wrapper))) continue;
      if (isWanted(wrapper)) byClass.set(classOf(wrapper), wrapper);
    }
    return [...byClass.values()];
  }

  /** The methods of a class, inherited ones too; an overriding method stands for itself, decorated or not. */
  methodsOf(wrapper: ProviderWrapper): [name: string, method: unknown][] {
    const prototype = Object.getPrototypeOf(wrapper.instance) as Record<string, unknown> | null;
    if (!prototype || prototype === Object.prototype) return [];
    return this.scanner.getAllMethodNames(prototype).map((name) => [name, prototype[name]]);
  }
}

/** The class of a provider: of its instance where a factory or value provides it. */
export function classOf(wrapper: ProviderWrapper): object {
  const { constructor } = wrapper.instance as { constructor: unknown };
  const ofInstance = typeof constructor === 'function' ? constructor : Object;
  return wrapper.isNotMetatype ? ofInstance : (wrapper.metatype ?? ofInstance);
}

export function nameOf(wrapper: ProviderWrapper): string {
  const { name } = classOf(wrapper) as { name?: string };
  return name ?? String(wrapper.name);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
