import 'reflect-metadata';
import { Module } from '@nestjs/common';

/** How many message handlers a gateway has; platform-ws pays for each of them with every connection. */
export const HANDLERS = 11;

/** The same guard and the same pipe for every contender that runs in Nest. */
export class MemberGuard {
  canActivate(context) {
    return context.getType() === 'ws';
  }
}

export class TextPipe {
  transform(value, { type }) {
    if (type === 'body' && typeof value.text !== 'string') throw new Error('No text.');
    return value;
  }
}

/** Decorates by hand what TypeScript would by `@decorator()` before a class. */
export function decorateClass(target, decorators, dependencies = []) {
  Reflect.defineMetadata('design:paramtypes', dependencies, target);
  Reflect.decorate(decorators, target);
}

/** The same before a method, with decorators of its parameters in their order. */
export function decorateMethod(target, name, decorators, parameters) {
  const { prototype } = target;
  parameters.forEach((decorator, index) => decorator(prototype, name, index));
  Reflect.defineMetadata('design:paramtypes', new Array(parameters.length).fill(Object), prototype, name);
  Reflect.decorate(decorators, prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
}

export function moduleOf(metadata) {
  class BenchModule {}
  decorateClass(BenchModule, [Module(metadata)]);
  return BenchModule;
}
