import type { ArgumentsHost, PipeTransform } from '@nestjs/common';
import { catchError, defer, EMPTY, from, isObservable, lastValueFrom, mergeMap, of, type Observable } from 'rxjs';
import type { WsClient } from '../clients/ws-client.js';
import { WsError } from '../errors/ws.error.js';
import { AnswerStream, streamOf } from './answer-stream.js';
import type { AckFunction } from './handler.interface.js';
import { isThenable } from './thenable.js';

/** What guards, interceptors and filters see as `getArgs()`; with an ack function where the handler takes one. */
export type ContextArgs =
  | [client: WsClient, data: unknown, pattern: string]
  | [client: WsClient, data: unknown, ack: AckFunction, pattern: string];

export type Method = (...args: unknown[]) => unknown;

/** A part of a handler: it calls the next inner one, the innermost calls the application's method. */
export type Step = (args: ContextArgs) => unknown;

/** Where one argument of a method comes from. */
export interface Param {
  readonly index: number;
  readonly extract: (args: ContextArgs) => unknown;
  readonly pipes: readonly PipeTransform[];
  /** Runs the value through the pipes, a promised one once it has resolved. */
  readonly transform: (value: unknown) => Promise<unknown>;
}

/** An exception filter, bound. */
export interface Filter {
  readonly func: (exception: unknown, host: ArgumentsHost) => unknown;
}

/** Calls the method with its arguments: at once, unless one of them has to be waited for. */
export function callMethod(instance: object, method: Method, params: readonly Param[]): Step {
  const length = Math.max(0, ...params.map(({ index }) => index + 1));
  return (args) => {
    const values = new Array<unknown>(length).fill(undefined);
    let pending: Promise<void>[] | null = null;
    try {
      for (const param of params) {
        const piped = fill(values, param, args);
        if (piped) (pending ??= []).push(piped);
      }
    } catch (exception) {
      for (const piped of pending ?? []) piped.catch(() => undefined);
      throw exception;
    }
    if (!pending) return method.apply(instance, values);
    return Promise.all(pending).then(() => method.apply(instance, values));
  };
}

function fill(values: unknown[], { index, extract, pipes, transform }: Param, args: ContextArgs): Promise<void> | null {
  const value = extract(args);
  if (pipes.length === 0 && !isThenable(value)) {
    values[index] = value;
    return null;
  }
  return transform(value).then((result) => void (values[index] = result));
}

/** The method's own return value counts for nothing: its ack function is the reply. */
export function ignoreReturn(step: Step): Step {
  return (args) => {
    const result = step(args);
    return isThenable(result) ? result.then(() => undefined) : undefined;
  };
}

/** @param canActivate asks the guards */
export function guarded(step: Step, canActivate: (args: ContextArgs) => Promise<boolean>): Step {
  return async (args) => {
    if (!(await canActivate(args))) throw new WsError('FORBIDDEN', 'Forbidden resource.');
    return step(args);
  };
}

/** @param intercept has the interceptors stand around what `next` returns */
export function intercepted(
  step: Step,
  intercept: (args: ContextArgs, next: () => Promise<unknown>) => Promise<unknown>,
): Step {
  return (args) => {
    const next = async (): Promise<unknown> => {
      const result = await step(args);
      const stream = streamOf(result);
      if (!stream) return result;
      answer.begin();
      return stream;
    };
    const values = defer(() => intercept(args, next)).pipe(
      mergeMap((result) => (isObservable(result) ? result : of(result))),
    );
    const answer = new AnswerStream(values);
    return answer;
  };
}

/**
 * @param choose the filter for an exception; undefined: it goes on
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
    const filteredTo: unknown = await chosen.func(exception, hostOf(args));
    const value: unknown = isObservable(filteredTo)
      ? await lastValueFrom(filteredTo, { defaultValue: undefined })
      : filteredTo;
    const ack = ackOf(args);
    if (!ack) return value;
    ack(value);
    return undefined;
  };
  const filterStream = (values: Observable<unknown>, args: ContextArgs): Observable<unknown> =>
    values.pipe(
      catchError((exception: unknown) =>
        from(filter(exception, args)).pipe(mergeMap((value) => (value === undefined ? EMPTY : of(value)))),
      ),
    );
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

/** The ack function among the arguments of a handler that takes one. */
export function ackOf(args: ContextArgs): AckFunction | undefined {
  return args.length === 4 ? args[2] : undefined;
}
