/**
 * The method that a method decorator stands on.
 *
 * @throws TypeError where the compiler calls decorators in the standard way, without a descriptor: Nest's do not work then either
 */
export function decoratedMethod(descriptor: PropertyDescriptor | undefined, decorator: string): object {
  if (descriptor === undefined) {
    throw new TypeError(
      `@${decorator}() was compiled as a standard decorator, which Nest does not know: tsconfig.json needs ` +
        '"experimentalDecorators": true and "emitDecoratorMetadata": true.',
    );
  }
  return descriptor.value as object;
}
