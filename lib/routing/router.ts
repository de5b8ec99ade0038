import { RESERVED_TYPES, routeKey } from '../protocol/route-key.js';
import { DuplicateWsRouteError } from '../errors/start-up.errors.js';
import type { Route } from './handler.interface.js';

/** The routes of one endpoint: a message's type and action to its handler, in one look-up. */
export class Router {
  readonly #routes = new Map<string, Route>();
  #fallback: Route | undefined;

  /** @param path the endpoint's path, for messages */
  constructor(private readonly path: string) {}

  /** @throws DuplicateWsRouteError when the route has a handler already */
  add(type: string, action: string, route: Route): void {
    const key = routeKey(type, action);
    const present = this.#routes.get(key);
    if (present) throw new DuplicateWsRouteError(`The route "${key}"`, this.path, present.source, route.source);
    this.#routes.set(key, route);
  }

  /** @throws DuplicateWsRouteError when there is a fallback already */
  addFallback(route: Route): void {
    const present = this.#fallback;
    if (present) throw new DuplicateWsRouteError('The fallback', this.path, present.source, route.source);
    this.#fallback = route;
  }

  /** The fallback where nothing else fits, but not for the library's own types. */
  find(type: string, action: string): Route | undefined {
    const route = this.#routes.get(routeKey(type, action));
    if (route || !this.#fallback || RESERVED_TYPES.includes(type)) return route;
    return this.#fallback;
  }

  /** Every route with the method that handles it, in the order in which they were added. */
  *list(): Generator<{ key: string; source: string }> {
    for (const [key, { source }] of this.#routes) yield { key, source };
    if (this.#fallback) yield { key: '*', source: this.#fallback.source };
  }
}
