import { Injectable, type Type } from '@nestjs/common';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';

/**
 * Returns an instance for one use; it is the same each time unless its class is request-scoped.
 *
 * @param request what request-scoped providers get as `REQUEST`
 */
export type InstanceSource<T> = (request: object) => T | Promise<T>;

/** Finds or makes the classes that options and decorators name: authenticators, guards, rules for rooms. */
@Injectable()
export class RuleFactory {
  constructor(private readonly moduleRef: ModuleRef) {}

  /**
   * Finds the instance that the application provides, or makes one with the dependencies that `moduleRef` sees.
   *
   * @param moduleRef of the module that is searched first; by default the library's own
   * @throws PxlWebSocketSetupError when the class is no provider and Nest cannot make it
   */
  async sourceOf<T extends object>(type: Type<T>, moduleRef = this.moduleRef): Promise<InstanceSource<T>> {
    for (const options of [{ strict: true }, { strict: false }]) {
      const instance = this.#find(type, moduleRef, options);
      if (instance) return instance;
    }
    try {
      const made = await moduleRef.create(type);
      return () => made;
    } catch (cause) {
      throw new PxlWebSocketSetupError(
        `Nest cannot make ${type.name}: register it as a provider of a module that has its dependencies.`,
        { cause },
      );
    }
  }

  #find<T extends object>(type: Type<T>, moduleRef: ModuleRef, options: { strict: boolean }): InstanceSource<T> | null {
    try {
      const instance = moduleRef.get<T>(type, options);
      return () => instance;
    } catch (error) {
      if (!isScoped(error)) return null;
      return (request) => {
        const contextId = ContextIdFactory.create();
        moduleRef.registerRequestByContextId(request, contextId);
        return moduleRef.resolve<T>(type, contextId, options);
      };
    }
  }
}

/** Whether `get` was called for a request-scoped provider: Nest does not export the class of this error. */
function isScoped(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'InvalidClassScopeException';
}
