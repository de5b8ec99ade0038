import { HttpException, type CanActivate } from '@nestjs/common';
import { isObservable, lastValueFrom } from 'rxjs';
import type { InstanceSource } from '../auth/rule-factory.js';
import { thrownRefusal } from '../auth/thrown-refusal.js';
import { isInstanceOf } from '../errors/as-error.js';
import type { ErrorReporter } from '../errors/error-reporter.js';
import type { Runtime } from '../runtime/runtime.js';
import { ConsoleContext, type ConsoleAccess } from './console-access.js';

/** Milliseconds that the guard may take. */
const LIMIT = 10_000;

/** Undefined: it may. Otherwise the HTTP status of the refusal. */
export type ConsoleVerdict = number | undefined;

/** Asks the application's guard. */
export class ConsoleGuard {
  constructor(
    private readonly guard: InstanceSource<CanActivate>,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
  ) {}

  /** Only true itself allows. A guard that fails refuses, and is reported. Never rejects. */
  async ask(access: ConsoleAccess, request: object, response: object): Promise<ConsoleVerdict> {
    const late = (): Error => new Error('It did not answer within ten seconds.');
    try {
      const asked = this.#ask(new ConsoleContext(access, request, response), request);
      return (await this.runtime.within(LIMIT, asked, late)) === true ? undefined : 403;
    } catch (error) {
      const refused = thrownRefusal(error);
      if (refused) return refused.outcome === 'forbidden' ? 403 : 401;
      if (isInstanceOf(error, HttpException)) return error.getStatus();
      this.errors.report('The guard of the console failed.', error);
      return 500;
    }
  }

  async #ask(context: ConsoleContext, request: object): Promise<unknown> {
    const guard = await this.guard(request);
    const answer = guard.canActivate(context);
    return isObservable(answer) ? lastValueFrom(answer) : answer;
  }
}

/** Whom the guard has found, for the log: it sets `request.user`, as guards of controllers do. Null: it has named nobody. */
export function visitorOf(request: object): string | null {
  const { user } = request as { user?: unknown };
  if (typeof user === 'string') return user;
  const fields = Object(user) as Readonly<Record<string, unknown>>;
  const name = ['userId', 'id', 'sub', 'email', 'username', 'name'].map((field) => fields[field]).find(isName);
  return name === undefined ? null : String(name);
}

function isName(value: unknown): value is string | number {
  return typeof value === 'number' || (typeof value === 'string' && value !== '');
}
