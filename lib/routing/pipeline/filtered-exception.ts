import { isInstanceOf } from '../../errors/as-error.js';

/** An exception that a filter of the application was asked about and has not answered with a value. */
export class FilteredException extends Error {
  override readonly name = 'FilteredException';

  constructor(
    /** What the handler threw. */
    readonly exception: unknown,
    /** Whether the filter has sent the client something by itself. */
    readonly isAnswered: boolean,
    /** What the filter threw, where it failed. */
    readonly failure?: { readonly thrown: unknown },
  ) {
    super('An exception filter has returned nothing.');
  }
}

/** What a handler threw, whether or not a filter was called for it. */
export function unfiltered(thrown: unknown): Pick<FilteredException, 'exception' | 'isAnswered' | 'failure'> {
  return isInstanceOf(thrown, FilteredException) ? thrown : { exception: thrown, isAnswered: false };
}
