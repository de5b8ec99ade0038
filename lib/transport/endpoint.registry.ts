import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { RoomManager } from '../rooms/room-manager.js';
import { MessageDispatcher } from '../routing/message.dispatcher.js';
import { WorkerIdentity } from '../runtime/worker-identity.js';
import { Endpoint, type EndpointServices } from './endpoint.js';

/** The endpoints of a module, by port and path. */
@Injectable()
export class EndpointRegistry {
  readonly #endpoints = new Map<number, Map<string, Endpoint>>();
  readonly #services: EndpointServices;

  constructor(
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
    identity: WorkerIdentity,
    rooms: RoomManager,
    dispatcher: MessageDispatcher,
  ) {
    this.#services = { options, workerId: identity.workerId, rooms, dispatcher };
  }

  /** The endpoint at an address, made when it is first asked for; no path means the module's own. */
  open(port: number, path: string | undefined): Endpoint {
    const normal = path === undefined ? this.options.path : withSlash(path);
    let paths = this.#endpoints.get(port);
    if (!paths) this.#endpoints.set(port, (paths = new Map<string, Endpoint>()));
    let endpoint = paths.get(normal);
    if (!endpoint) paths.set(normal, (endpoint = new Endpoint(port, normal, this.#services)));
    return endpoint;
  }

  /** Byte for byte: `/ws/` is another path than `/ws`. */
  find(port: number, path: string): Endpoint | undefined {
    return this.#endpoints.get(port)?.get(path);
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
