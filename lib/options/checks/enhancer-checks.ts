import { isClassWith, lackOf } from './class-checks.js';
import { describe, isGroup } from './option-checks.js';

/** Whether it is a class whose instances have the method of an enhancer (a guard, a pipe, an interceptor), or an object that has it. */
export function isEnhancer(given: unknown, method: string): boolean {
  return isClassWith(method, given) || (isGroup(given) && typeof given[method] === 'function');
}

/** What was given in place of an enhancer, for messages. */
export function describeEnhancer(given: unknown, method: string): string {
  return lackOf(given, [method]) ?? describe(given);
}
