import type { ExecutionContext } from '@nestjs/common';
import { ExecutionContextHost } from '../routing/pipeline/nest-internals.js';
import type { ConsoleAction, ConsoleTarget } from './console-contract.js';

/** What somebody wants of the console. */
export type ConsoleAccess =
  /** A file of the page, by its name; empty: the page itself. */
  | { readonly kind: 'page'; readonly file: string }
  /** To look: at the upgrade, and again every minute. */
  | { readonly kind: 'connection' }
  | {
      readonly kind: 'action';
      readonly action: ConsoleAction;
      readonly target: ConsoleTarget;
      /** The key of the room that `leave` means. */
      readonly room?: string | undefined;
    };

/** Guards read metadata from the handler and its class: here is none. */
const HANDLERS: Readonly<Record<ConsoleAccess['kind'], () => void>> = {
  page: () => undefined,
  connection: () => undefined,
  action: () => undefined,
};

/**
 * What the console's guard gets: a context of the type `http`. For a page its request and response are those of the platform;
 * for a connection and its actions the request is that of the upgrade, the same object each time, and the response goes nowhere.
 */
export class ConsoleContext extends ExecutionContextHost {
  constructor(
    readonly access: ConsoleAccess,
    request: object,
    response: object,
  ) {
    super([request, response], ConsoleContext, HANDLERS[access.kind]);
  }
}

/**
 * What the console's guard is asked for.
 *
 * @returns undefined in any other context: the same guard may stand on a controller
 * @example
 * canActivate(context: ExecutionContext): boolean {
 *   const { user } = context.switchToHttp().getRequest<Request>();
 *   const access = consoleAccessOf(context);
 *   return access?.kind === 'action' ? user?.role === 'admin' : user !== undefined;
 * }
 */
export function consoleAccessOf(context: ExecutionContext): ConsoleAccess | undefined {
  return context instanceof ConsoleContext ? context.access : undefined;
}
