import { Inject, Injectable } from '@nestjs/common';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import { PushLimit } from '../../limits/push-limit.js';
import { problemOfPath } from '../../options/checks/path-pattern.js';
import { optionsAt, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Memberships } from '../../rooms/memberships.js';
import { MessageDispatcher } from '../../routing/message.dispatcher.js';
import { MessageIntake } from '../../routing/message.intake.js';
import { Runtime } from '../../runtime/runtime.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { Endpoint, type EndpointServices } from './endpoint.js';

/** The endpoints of one port. */
interface PortEndpoints {
  readonly byPath: Map<string, Endpoint>;
  /** Those whose path has parameters; no two of them fit one path. */
  readonly patterns: Endpoint[];
}

/** The endpoints of a module, by port and path. */
@Injectable()
export class EndpointRegistry {
  readonly #ports = new Map<number, PortEndpoints>();
  readonly #services: EndpointServices;

  constructor(
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
    identity: WorkerIdentity,
    memberships: Memberships,
    intake: MessageIntake,
    dispatcher: MessageDispatcher,
    pushLimit: PushLimit,
    errors: ErrorReporter,
    runtime: Runtime,
  ) {
    const { workerId } = identity;
    this.#services = { workerId, memberships, intake, dispatcher, pushLimit, errors, runtime };
  }

  /**
   * The endpoint at an address, created at the first call; without a path, the module's own.
   *
   * @throws PxlWebSocketSetupError for a path that no request can have, and for a pattern that fits a path which another
   * pattern of the port fits too
   */
  open(port: number, path: string | undefined): Endpoint {
    const normal = path === undefined ? this.options.path : withSlash(path);
    const known = this.#ports.get(port)?.byPath.get(normal);
    if (known) return known;
    const problem = problemOfPath(normal);
    if (problem !== undefined) {
      throw new PxlWebSocketSetupError(`The path "${normal}" of a @WebSocketGateway() cannot be: ${problem}.`);
    }
    const endpoint = new Endpoint(port, normal, optionsAt(this.options, normal), this.#services);
    this.#add(port, endpoint);
    return endpoint;
  }

  /**
   * Compares byte for byte, `/ws/` is another path than `/ws`, but for the parameters of a pattern. A path without
   * parameters comes before every pattern.
   */
  find(port: number, path: string): Endpoint | undefined {
    const endpoints = this.#ports.get(port);
    return endpoints?.byPath.get(path) ?? endpoints?.patterns.find(({ pattern }) => pattern?.fits(path));
  }

  /** @throws PxlWebSocketSetupError when the option `endpoints` names a path that no gateway has */
  checkOptions(): void {
    const paths = new Set(this.all.map(({ path }) => path));
    for (const path of this.options.endpoints.keys()) {
      if (paths.has(path)) continue;
      const known = [...paths].join(', ');
      throw new PxlWebSocketSetupError(`The option endpoints names ${path}, but the endpoints are ${known}.`);
    }
  }

  get all(): Endpoint[] {
    return [...this.#ports.values()].flatMap(({ byPath }) => [...byPath.values()]);
  }

  /** The ports other than the application's own HTTP server. */
  get ports(): number[] {
    return [...this.#ports.keys()].filter((port) => port !== 0);
  }

  #add(port: number, endpoint: Endpoint): void {
    let endpoints = this.#ports.get(port);
    if (!endpoints) this.#ports.set(port, (endpoints = { byPath: new Map(), patterns: [] }));
    if (endpoint.pattern) {
      checkDistinct(endpoint, endpoints.patterns);
      endpoints.patterns.push(endpoint);
    }
    endpoints.byPath.set(endpoint.path, endpoint);
  }
}

function checkDistinct({ pattern, path }: Endpoint, others: readonly Endpoint[]): void {
  for (const other of others) {
    const common = other.pattern && pattern?.commonPath(other.pattern);
    if (typeof common !== 'string') continue;
    const both = [other.path, path].sort().join(' and ');
    throw new PxlWebSocketSetupError(
      `The paths ${both} both fit ${common}: of patterns, only one may fit a path. A path without ` +
        'parameters may stand beside them, and comes first.',
    );
  }
}

function withSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}
