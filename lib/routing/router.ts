import { routeKey } from '../protocol/route-key.js';
import { DuplicateWsRouteError } from '../errors/start-up.errors.js';
import type { Route } from './handler.interface.js';

/** The routes of one endpoint: a message's type and action to its handler, in one look-up. */
export class Router {
  readonly #routes = new Map<string, Route>();

  /** @param path the endpoint's path, for messages */
  constructor(private readonly path: string) {}

  /** @throws DuplicateWsRouteError when the route has a handler already */
  add(type: string, action: string, route: Route): void {
    const key = routeKey(type, action);
    const present = this.#routes.get(key);
    if (present) throw new DuplicateWsRouteError(key, this.path, present.source, route.source);
    this.#routes.set(key, route);
  }

  find(type: string, action: string): Route | undefined {
    return this.#routes.get(routeKey(type, action));
  }

  /** Every route with the method that handles it, in the order in which they were added. */
  *list(): Generator<{ key: string; source: string }> {
    for (const [key, { source }] of this.#routes) yield { key, source };
  }
}
