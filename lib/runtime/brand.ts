/** The ordinary `instanceof`, which looks at the chain of prototypes. */
const isOnChain = Function.prototype[Symbol.hasInstance];

/**
 * Makes `instanceof` recognise the instances of a class by a mark that all copies of this package share: with two copies
 * installed, an object of one copy is an instance for the other. A subclass keeps the ordinary `instanceof`. The check
 * never throws.
 *
 * @param type the class, from its own static block
 * @param name the same in all copies and versions
 */
export function brand(type: { readonly prototype: object }, name: string): void {
  const mark = Symbol.for(`nestjs-pxl-websocket:${name}`);
  Object.defineProperty(type.prototype, mark, { value: true });
  Object.defineProperty(type, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      try {
        return this === type ? isMarked(value, mark) : isOnChain.call(this, value);
      } catch {
        return false; // a revoked proxy
      }
    },
  });
}

function isMarked(value: unknown, mark: symbol): boolean {
  return typeof value === 'object' && value !== null && mark in value;
}
