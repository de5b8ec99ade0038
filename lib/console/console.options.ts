import type { CanActivate, Type } from '@nestjs/common';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import { describeGuard, isGuard } from '../options/access.options.js';
import { OptionChecks } from '../options/checks/option-checks.js';
import type { ConsoleAction } from './console-contract.js';

/** A path of which nothing means anything to a router, and nothing to a browser, which resolves `.` and `..`. */
const PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/;
const ACTIONS: readonly ConsoleAction[] = ['disconnect', 'leave', 'notice', 'revoke'];

/** The options of `PxlWebSocketConsoleModule`. */
export interface PxlWebSocketConsoleOptions {
  /** Where the page is, as it stands in the address: the global prefix does not come before it. Default: `'/console'`. */
  path?: string | undefined;
  /**
   * Who may look: a guard as for a controller, a class with its dependencies or an object. It is asked for each file of the page, for
   * each connection and again every minute, and for each action; `consoleAccessOf(context)` says for which. Without one the
   * application does not start.
   */
  guard: Type<CanActivate> | CanActivate;
  /** What may be done from the page. Default: `[]`. */
  allow?: readonly ConsoleAction[] | undefined;
  /** Whether the page shows what messages, users and metadata contain. Default: false. */
  payloads?: boolean | undefined;
  /** The folder of the page's files, for an application that is bundled into one file. Without it: those of this package. */
  page?: string | undefined;
}

/** The same with every default in place. */
export interface ResolvedConsole {
  readonly path: string;
  readonly guard: Type<CanActivate> | CanActivate;
  readonly allow: readonly ConsoleAction[];
  readonly payloads: boolean;
  /** Undefined: that of this package. */
  readonly page: string | undefined;
}

/**
 * @throws PxlWebSocketSetupError without a guard
 * @throws PxlWebSocketOptionsError for any other option that cannot be used
 */
export function resolveConsole(given: unknown): ResolvedConsole {
  const options = new OptionChecks('', given, 'PxlWebSocketConsoleModule');
  const guard = options.raw('guard');
  if (guard === undefined || guard === null) {
    throw new PxlWebSocketSetupError(
      'PxlWebSocketConsoleModule has no guard, so anybody could look at all clients: give it one, ' +
        'PxlWebSocketConsoleModule.forRoot({ guard: AdminGuard }).',
    );
  }
  if (!isGuard(guard)) {
    return options.refuse('guard', 'a class or an object with a method canActivate', describeGuard(guard));
  }
  const resolved: ResolvedConsole = {
    path: readPath(options),
    guard,
    allow: options.words('allow', ACTIONS),
    payloads: options.boolean('payloads', false),
    page: readFolder(options),
  };
  options.finish();
  return Object.freeze(resolved);
}

function readFolder(options: OptionChecks): string | undefined {
  const folder = options.raw('page');
  if (folder === undefined || (typeof folder === 'string' && folder !== '')) return folder;
  return options.refuse('page', 'the path of a folder');
}

function readPath(options: OptionChecks): string {
  const path = options.raw('path') ?? '/console';
  if (typeof path === 'string' && PATH.test(path)) return path;
  const shown = typeof path === 'string' ? JSON.stringify(path.slice(0, 40)) : undefined;
  return options.refuse(
    'path',
    "a path like '/console', of letters, digits and - . _ ~, without a slash at its end",
    shown,
  );
}
