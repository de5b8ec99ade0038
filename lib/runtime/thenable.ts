/** A value, or a promise of it where something has to be waited for. */
export type Awaitable<T> = T | Promise<T>;

/** Whether `await` waits for the value: a promise of any realm or library. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  );
}
