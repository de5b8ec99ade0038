import type { ArgumentMetadata, CanActivate, ExecutionContext, PipeTransform } from '@nestjs/common';
import { defer, isObservable, mergeMap, of } from 'rxjs';
import { WsError } from '../../errors/ws.error.js';
import { AnswerStream, streamOf } from '../exchange/answer-stream.js';
import type { AckFunction } from '../../clients/session/route.interface.js';
import { isThenable } from '../../runtime/thenable.js';

/** What `getArgs()` gives to guards, interceptors and filters; with an ack function when the handler takes one. */
export type ContextArgs =
  [client: object, data: unknown, pattern: string] | [client: object, data: unknown, ack: AckFunction, pattern: string];

export type Method = (...args: unknown[]) => unknown;

/** One layer of a handler: it calls the next inner one; the innermost calls the application's method. */
export type Step = (args: ContextArgs) => unknown;

/** Where one argument of a method comes from. */
export interface Param {
  readonly index: number;
  readonly extract: (args: ContextArgs) => unknown;
  readonly pipes: readonly PipeTransform[];
  /** The description of the argument that pipes get. */
  readonly argument: ArgumentMetadata;
}

/** Calls the method with its arguments, synchronously unless an argument is asynchronous. */
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

function fill(values: unknown[], { index, extract, pipes, argument }: Param, args: ContextArgs): Promise<void> | null {
  const value = pipedThrough(extract(args), pipes, argument);
  if (!isThenable(value)) {
    values[index] = value;
    return null;
  }
  return Promise.resolve(value).then((result) => void (values[index] = result));
}

/** Runs a value through pipes, one after the other, synchronously up to the first asynchronous one. */
export function pipedThrough(first: unknown, pipes: readonly PipeTransform[], argument: ArgumentMetadata): unknown {
  let value = first;
  for (let at = 0; at < pipes.length; at++) {
    if (isThenable(value)) return pipedLater(value, pipes.slice(at), argument);
    value = pipes[at]?.transform(value, argument);
  }
  return value;
}

async function pipedLater(
  first: PromiseLike<unknown>,
  pipes: readonly PipeTransform[],
  argument: ArgumentMetadata,
): Promise<unknown> {
  let value: unknown = await first;
  for (const pipe of pipes) value = await pipe.transform(value, argument);
  return value;
}

/** Drops the method's return value: its reply is what the ack function gets. */
export function ignoreReturn(step: Step): Step {
  return (args) => {
    const result = step(args);
    return isThenable(result) ? result.then(() => undefined) : undefined;
  };
}

/** What a guard answers. */
type Verdict = ReturnType<CanActivate['canActivate']>;

/**
 * Asks the guards one after the other, synchronously up to the first asynchronous one.
 *
 * @param contextOf what the guards see
 * @param settle resolves an asynchronous verdict
 */
export function guarded(
  step: Step,
  guards: readonly CanActivate[],
  contextOf: (args: ContextArgs) => ExecutionContext,
  settle: (verdict: Verdict) => Promise<boolean>,
): Step {
  const guardLater = async (args: ContextArgs, context: ExecutionContext, first: Verdict, next: number) => {
    if (!(await settle(first))) throw forbidden();
    for (const guard of guards.slice(next)) {
      if (!(await settle(guard.canActivate(context)))) throw forbidden();
    }
    return step(args);
  };
  return (args) => {
    const context = contextOf(args);
    for (let at = 0; at < guards.length; at++) {
      const verdict = guards[at]?.canActivate(context) ?? false;
      if (verdict === false) throw forbidden();
      if (verdict !== true) return guardLater(args, context, verdict, at + 1);
    }
    return step(args);
  };
}

function forbidden(): WsError {
  return new WsError('FORBIDDEN', 'Forbidden resource.');
}

/** @param intercept runs the interceptors around `next` */
export function intercepted(
  step: Step,
  intercept: (args: ContextArgs, next: () => Promise<unknown>) => Promise<unknown>,
): Step {
  return (args) => {
    const next = async (): Promise<unknown> => {
      try {
        const result = await step(args);
        const stream = streamOf(result);
        if (!stream) return result;
        answer.begin();
        return stream;
      } catch (exception) {
        answer.failed(exception);
        throw exception;
      }
    };
    const values = defer(() => intercept(args, next)).pipe(
      mergeMap((result) => (isObservable(result) ? result : of(result))),
    );
    const answer = new AnswerStream(values);
    return answer;
  };
}

/** The ack function among the arguments of a handler that takes one. */
export function ackOf(args: ContextArgs): AckFunction | undefined {
  return args.length === 4 ? args[2] : undefined;
}
