/** What is behind `instanceof` for classes without a brand: the chain of prototypes. */
const isOnChain = Function.prototype[Symbol.hasInstance];

/**
 * Has `instanceof` know the instances of a class by a mark that all copies of this package share: with two copies
 * installed, what one of them has made is an instance for the other. A subclass keeps the ordinary `instanceof`.
 * Nothing that is asked about can make it throw.
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
