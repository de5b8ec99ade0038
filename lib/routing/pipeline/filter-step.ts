import type { ArgumentsHost } from '@nestjs/common';
import { catchError, from, isObservable, lastValueFrom, type Observable } from 'rxjs';
import { OWN_SENDS } from '../../clients/session/own-sends.js';
import { isError } from '../../errors/as-error.js';
import { AnswerStream, streamOf } from '../exchange/answer-stream.js';
import { FilteredException } from './filtered-exception.js';
import { ackOf, type ContextArgs, type Step } from './pipeline-steps.js';

/** An exception filter, bound. */
export interface Filter {
  readonly func: (exception: unknown, host: ArgumentsHost) => unknown;
}

/**
 * Passes what a step throws to an exception filter. A value that the filter returns is the answer; an error that it
 * returns is thrown in place of the exception. Whatever else a filter does, an exception never becomes a success.
 *
 * @param choose the filter for an exception; undefined: the exception is thrown on
 * @param hostOf what the filter sees
 */
export function filtered(
  step: Step,
  choose: (exception: unknown) => Filter | undefined,
  hostOf: (args: ContextArgs) => ArgumentsHost,
): Step {
  const filter = async (exception: unknown, args: ContextArgs): Promise<unknown> => {
    const chosen = choose(exception);
    if (!chosen) throw exception;
    const value = await answerOf(chosen, exception, args[0], hostOf(args));
    const ack = ackOf(args);
    if (!ack) return value;
    ack(value);
    return undefined;
  };
  const filterStream = (values: Observable<unknown>, args: ContextArgs): Observable<unknown> =>
    values.pipe(catchError((exception: unknown) => from(filter(exception, args))));
  return async (args) => {
    try {
      const result = await step(args);
      if (result instanceof AnswerStream) return result.through((values) => filterStream(values, args));
      const stream = streamOf(result);
      return stream ? filterStream(stream, args) : result;
    } catch (exception) {
      return filter(exception, args);
    }
  };
}

/** @throws an error that the filter has returned, the exception itself, or a {@link FilteredException} of it */
async function answerOf(filter: Filter, exception: unknown, client: object, host: ArgumentsHost): Promise<unknown> {
  const { outcome, hasSent } = await OWN_SENDS.watch(client, () => valueOf(filter, exception, host));
  if (outcome.status === 'rejected' && outcome.reason !== exception) {
    throw new FilteredException(exception, hasSent, { thrown: outcome.reason });
  }
  const value: unknown = outcome.status === 'fulfilled' ? outcome.value : undefined;
  if (value !== undefined && !isError(value)) return value;
  const refusal: unknown = value ?? exception;
  throw hasSent ? new FilteredException(refusal, true) : refusal;
}

async function valueOf(filter: Filter, exception: unknown, host: ArgumentsHost): Promise<unknown> {
  const value = await filter.func(exception, host);
  return isObservable(value) ? lastValueFrom(value, { defaultValue: undefined }) : value;
}
