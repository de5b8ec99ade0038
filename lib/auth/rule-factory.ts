import { Injectable, type Type } from '@nestjs/common';
import { ContextIdFactory, ModuleRef } from '@nestjs/core';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';

/**
 * Makes an instance for one use; the same one each time, unless its class is request-scoped.
 *
 * @param request what request-scoped providers get as `REQUEST`
 */
export type InstanceSource<T> = (request: object) => T | Promise<T>;

/** Finds or makes the classes that options and decorators name: authenticators, guards, rules for rooms. */
@Injectable()
export class RuleFactory {
  constructor(private readonly moduleRef: ModuleRef) {}

  /**
   * The instance that the application provides, else one made now, with the dependencies that `moduleRef` sees.
   *
   * @param moduleRef of the module that is asked first; the library's own by default
   * @throws PxlWebSocketSetupError when it is no provider and Nest cannot make it
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

/** Nest answers `get` of a request-scoped provider with this error; its class is not exported. */
function isScoped(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === 'InvalidClassScopeException';
}
