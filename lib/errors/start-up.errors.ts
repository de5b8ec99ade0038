import { brand } from '../runtime/brand.js';

/** An option that cannot be used. The message names the option, what was given and what is allowed. */
export class PxlWebSocketOptionsError extends Error {
  static {
    brand(this, 'PxlWebSocketOptionsError');
  }

  override readonly name = 'PxlWebSocketOptionsError';
}

/** The application is set up in a way in which the module cannot work. Thrown at start-up. */
export class PxlWebSocketSetupError extends Error {
  static {
    brand(this, 'PxlWebSocketSetupError');
  }

  override readonly name = 'PxlWebSocketSetupError';
}

/** Two methods want the same route of one endpoint, or both want to be its fallback. Thrown at start-up; the message names both. */
export class DuplicateWsRouteError extends Error {
  static {
    brand(this, 'DuplicateWsRouteError');
  }

  override readonly name = 'DuplicateWsRouteError';

  /** @param what the route, or the fallback, as it stands in a sentence */
  constructor(what: string, path: string, first: string, second: string) {
    super(`${what} of ${path} has two handlers, ${first} and ${second}: one of them has to go, or to change.`);
  }
}
