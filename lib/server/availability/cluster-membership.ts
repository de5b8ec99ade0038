import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_BROADCASTER, type WsBroadcaster } from '../../cluster/bus/broadcaster.interface.js';
import { ClusterEvents } from '../../cluster/events/cluster-events.js';
import { RegistryBridge } from '../../cluster/registry/registry-bridge.js';
import { PeerCheck } from '../../cluster/calls/peer-check.js';
import { RevocationSync } from '../../cluster/revocations/revocation-sync.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import { WsError } from '../../errors/ws.error.js';
import { isClustered, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime } from '../../runtime/runtime.js';
import { ClusterInbox } from '../coordination/cluster-inbox.js';

/** How long the start of an application waits for its place among the other workers, in ms. */
const PATIENCE = 3_000;
/** How many workers a line of the log names. */
const NAMED = 5;

/** Joins the cluster at the start, leaves it when the shutdown begins, and ends the bus last of all. */
@Injectable()
export class ClusterMembership {
  readonly #logger = new ModuleLogger();
  #left: Promise<void> | null = null;
  #onAdmitted: (() => void) | null = null;
  #isAdmitted = false;

  constructor(
    private readonly inbox: ClusterInbox,
    private readonly bridge: RegistryBridge,
    private readonly events: ClusterEvents,
    private readonly peers: PeerCheck,
    private readonly revocations: RevocationSync,
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: WsBroadcaster,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
    private readonly runtime: Runtime,
  ) {}

  /**
   * Connects to the bus and enters the registry. When Redis does not answer, this resolves after a few seconds, and both
   * keep trying.
   */
  async join(): Promise<void> {
    if (isClustered(this.options) && !this.options.cluster.mirror) {
      this.#logger.log("cluster.mirror is false: getClients(), rooms and the like tell of this worker's clients only.");
    }
    if (this.options.broadcaster && this.options.rooms.presence) {
      this.#logger.warn("With a broadcaster of one's own rooms.presence shows the members of this worker only.");
    }
    await this.broadcaster.start((envelope) => this.inbox.receive(envelope));
    const entered = this.#enter().then(() => this.#admit());
    // Redis may be lost meanwhile, or refuse the registry.
    if (this.broadcaster.isReady) await this.runtime.waitFor(PATIENCE, entered, unknown).catch(() => undefined);
    if (!this.#isAdmitted) this.#wait();
  }

  /** Calls back once this worker may take clients: when it hears the other workers and knows their clients. */
  whenAdmitted(admitted: () => void): void {
    if (this.#isAdmitted || this.options.cluster.acceptBeforeReady) admitted();
    else this.#onAdmitted = admitted;
  }

  /** The other workers stop counting on this one's clients. Does not reject. */
  leave(): Promise<void> {
    this.#onAdmitted = null;
    this.events.leave();
    this.peers.stop();
    return (this.#left ??= this.bridge.stop());
  }

  /** Ends the connection to the bus. */
  async end(): Promise<void> {
    await this.leave();
    this.inbox.end();
    this.revocations.end();
    await this.broadcaster.stop();
  }

  async #enter(): Promise<void> {
    await this.bridge.start();
    if (this.#left) return;
    this.events.enter();
    await this.peers.start();
    // After the peers have answered: they may know revocations that Redis has lost.
    await this.revocations.load();
  }

  #admit(): void {
    this.#isAdmitted = true;
    this.#onAdmitted?.();
    this.#onAdmitted = null;
  }

  #wait(): void {
    const meanwhile = this.options.cluster.acceptBeforeReady
      ? 'clients of other workers are not reached'
      : 'no connections are taken';
    const silent = this.peers.silent.slice(0, NAMED).join(', ');
    const ended = `One that ended without closing its application is waited for up to ${this.options.cluster.lease} ms.`;
    const known = silent
      ? `The other workers are known, but have not all answered (${silent}). ${ended}`
      : unknown().message;
    const reason = this.broadcaster.isReady ? known : 'Redis cannot be reached.';
    this.#logger.warn(`${reason} Until this changes, ${meanwhile}.`);
  }
}

function unknown(): WsError {
  return new WsError('UNAVAILABLE', 'The other workers are not known yet.');
}
