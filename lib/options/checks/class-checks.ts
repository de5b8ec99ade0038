import { nearestName } from './nearest-name.js';

type Constructor = abstract new (...args: never[]) => object;

/** Whether the value is a class: written as one, or what a compiler for older engines makes of one. */
export function isClass(value: unknown): value is Constructor {
  if (typeof value !== 'function') return false;
  const prototype = Object.getOwnPropertyDescriptor(value, 'prototype');
  if (!prototype) return false;
  return prototype.writable === false || Object.getOwnPropertyNames(prototype.value).length > 1;
}

/** Whether an option that may be a function or a class is a class: its instances have the method. */
export function isClassWith(method: string, given: unknown): boolean {
  if (typeof given !== 'function') return false;
  const prototype = given.prototype as Record<string, unknown> | undefined;
  return typeof prototype?.[method] === 'function';
}

/**
 * What a class lacks, as the end of a message: "the class Passport, which has no method authenticate". Undefined when it is
 * no class, or lacks nothing.
 */
export function lackOf(given: unknown, methods: readonly string[]): string | undefined {
  if (!isClass(given)) return undefined;
  const missing = methods.find((method) => !isClassWith(method, given));
  if (missing === undefined) return undefined;
  const meant = nearestName(missing, methodsOf(given));
  const hint = meant === undefined ? ' (a property that holds a function is none)' : `; it has ${meant}`;
  return `the class ${given.name || 'without a name'}, which has no method ${missing}${hint}`;
}

function methodsOf({ prototype }: Constructor): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
}
