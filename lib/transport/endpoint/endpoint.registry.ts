import { Inject, Injectable } from '@nestjs/common';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import { PushLimit } from '../../limits/push-limit.js';
import { optionsAt, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Memberships } from '../../rooms/memberships.js';
import { MessageDispatcher } from '../../routing/message.dispatcher.js';
import { MessageIntake } from '../../routing/message.intake.js';
import { Runtime } from '../../runtime/runtime.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { Endpoint, type EndpointServices } from './endpoint.js';

/** The endpoints of a module, by port and path. */
@Injectable()
export class EndpointRegistry {
  readonly #endpoints = new Map<number, Map<string, Endpoint>>();
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
   * @throws PxlWebSocketSetupError for a path that no request can have
   */
  open(port: number, path: string | undefined): Endpoint {
    const normal = path === undefined ? this.options.path : withSlash(path);
    if (!/^[^?#\s]*$/.test(normal)) {
      throw new PxlWebSocketSetupError(
        `The path of a @WebSocketGateway() has no query and no blanks, "${normal}" has.`,
      );
    }
    let paths = this.#endpoints.get(port);
    if (!paths) this.#endpoints.set(port, (paths = new Map<string, Endpoint>()));
    let endpoint = paths.get(normal);
    if (!endpoint)
      paths.set(normal, (endpoint = new Endpoint(port, normal, optionsAt(this.options, normal), this.#services)));
    return endpoint;
  }

  /** Compares byte for byte: `/ws/` is another path than `/ws`. */
  find(port: number, path: string): Endpoint | undefined {
    return this.#endpoints.get(port)?.get(path);
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
    return [...this.#endpoints.values()].flatMap((paths) => [...paths.values()]);
  }

  /** The ports other than the application's own HTTP server. */
  get ports(): number[] {
    return [...this.#endpoints.keys()].filter((port) => port !== 0);
  }
}

function withSlash(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}
