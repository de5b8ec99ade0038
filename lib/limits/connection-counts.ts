import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';

/** A place for one connection, or the limit that refuses it. */
export type ConnectionPlace =
  { readonly release: () => void } | { readonly refusedBy: 'connections' | 'connectionsPerIp' };

/** Counts the connections of this process, running upgrades included: `limits.connections`, `limits.connectionsPerIp`. */
@Injectable()
export class ConnectionCounts {
  readonly #byNetwork = new Map<string, number>();
  #all = 0;

  constructor(@Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions) {}

  /** Whether there is a limit; without one nothing has to be counted. */
  get areLimited(): boolean {
    const { connections, connectionsPerIp } = this.options.limits;
    return connections !== false || connectionsPerIp !== false;
  }

  /** How many connections there are. */
  get size(): number {
    return this.#all;
  }

  /**
   * Takes a place, to be released once when the connection is gone.
   *
   * @param network what counts as one address
   */
  enter(network: string): ConnectionPlace {
    const { connections, connectionsPerIp } = this.options.limits;
    if (connections !== false && this.#all >= connections) return { refusedBy: 'connections' };
    const ofNetwork = this.#byNetwork.get(network) ?? 0;
    if (connectionsPerIp !== false && ofNetwork >= connectionsPerIp) return { refusedBy: 'connectionsPerIp' };
    this.#all++;
    this.#byNetwork.set(network, ofNetwork + 1);
    return { release: () => this.#release(network) };
  }

  #release(network: string): void {
    this.#all--;
    const left = (this.#byNetwork.get(network) ?? 1) - 1;
    if (left > 0) this.#byNetwork.set(network, left);
    else this.#byNetwork.delete(network);
  }
}
