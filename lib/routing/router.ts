import { DuplicateWsRouteError, PxlWebSocketSetupError } from '../errors/start-up.errors.js';
import type { WsProtocolName } from '../protocol/codec.interface.js';
import { EVENT_TYPE, isSystemEvent, RESERVED_TYPES, routeKey, SYSTEM_TYPE } from '../protocol/route-key.js';
import type { Route, RouteDefinition, RouteTable } from '../clients/session/route.interface.js';

/** The events of Ignis that an application may have handlers of its own for. */
const REPLACEABLE: readonly string[] = ['join', 'leave'];

/** The routes of one endpoint: a message's type and action to its handler, in one look-up. */
export class Router implements RouteTable {
  /** In the order in which they were added, by their keys. */
  readonly #routes = new Map<string, Route>();
  /** The same by type and action: a look-up for each message makes no key. */
  readonly #byType = new Map<string, Map<string, Route>>();
  #fallback: Route | undefined;
  #ownJoin = false;

  /**
   * @param path the endpoint's path, for error messages
   * @param protocol what the endpoint's clients speak unless they say otherwise
   */
  constructor(
    private readonly path: string,
    private readonly protocol: WsProtocolName,
  ) {}

  /**
   * Adds a route. An application's own `join` or `leave` event replaces the library's.
   *
   * @throws DuplicateWsRouteError when the route has a handler already
   * @throws PxlWebSocketSetupError for an event that would never reach its handler
   */
  add(type: string, action: string, definition: RouteDefinition): void {
    const key = routeKey(type, action);
    const present = this.#routes.get(key);
    if (present) throw new DuplicateWsRouteError(`The route "${key}"`, this.path, present.source, definition.source);
    const route = { ...definition, name: key };
    this.#set(type, action, route);
    if (type !== EVENT_TYPE || !isSystemEvent(action)) return;
    if (REPLACEABLE.includes(action)) {
      this.#set(SYSTEM_TYPE, action, route);
      if (action === 'join') this.#ownJoin = true;
    } else if (this.protocol === 'event') {
      throw new PxlWebSocketSetupError(
        `The route of ${route.source} cannot be: the event "${action}" of ${this.path} belongs to the library.`,
      );
    }
  }

  /** Whether the application's own `join` event has taken the place of the library's. */
  get ownJoin(): boolean {
    return this.#ownJoin;
  }

  /** @throws DuplicateWsRouteError when there is a fallback already */
  addFallback(definition: RouteDefinition): void {
    const present = this.#fallback;
    if (present) throw new DuplicateWsRouteError('The fallback', this.path, present.source, definition.source);
    this.#fallback = { ...definition, name: '*' };
  }

  /** The route of a message; the fallback when there is none, except for the library's own types. */
  find(type: string, action: string): Route | undefined {
    const route = this.#byType.get(type)?.get(action);
    if (route || !this.#fallback || RESERVED_TYPES.includes(type)) return route;
    return this.#fallback;
  }

  /** Every route with the method that handles it, in the order in which they were added. */
  *list(): Generator<{ key: string; source: string }> {
    for (const [key, { source }] of this.#routes) yield { key, source };
    if (this.#fallback) yield { key: '*', source: this.#fallback.source };
  }

  #set(type: string, action: string, route: Route): void {
    this.#routes.set(routeKey(type, action), route);
    let routes = this.#byType.get(type);
    if (!routes) this.#byType.set(type, (routes = new Map<string, Route>()));
    routes.set(action, route);
  }
}
