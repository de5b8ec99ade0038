import { ModuleLogger } from '../errors/module-logger.js';
import { eventOfRoute } from '../protocol/route-key.js';

/** At most so many routes are remembered, since clients choose their names. */
const MOST = 100;

/** Logs (debug) each route that clients ask for and that has no handler, once. */
export class UnknownRoutes {
  readonly #logger = new ModuleLogger();
  readonly #named = new Set<string>();

  /** @param path the endpoint's */
  tell(path: string, type: string, action: string): void {
    // Names of messages are at most 64 characters long; as JSON they cannot forge lines of the log.
    const route = `${JSON.stringify(eventOfRoute(type, action))} of ${path}`;
    if (this.#named.size >= MOST || this.#named.has(route)) return;
    this.#named.add(route);
    const last = this.#named.size === MOST ? ' Further routes are not named.' : '';
    this.#logger.debug(
      `A client has asked for the route ${route}, which has no handler. ` +
        `If a class has one, that class may be in no module's providers, or serve another path.${last}`,
      { path, code: 'UNKNOWN_ROUTE' },
    );
  }
}
