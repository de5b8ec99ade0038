import type { ClusterWorker, RegistryHost } from './cluster-registry.interface.js';
import type { Hint } from './hint.js';
import { MirroredWorker, type MirrorServices } from './mirrored-worker.js';
import { HeardWorker, type ChangeListener, type RemoteWorker } from './remote-worker.js';
import type { Lease } from '../leases/worker-leases.js';

/** The other workers of the cluster, and what we know of their clients. */
export class RemoteWorkers {
  readonly #workers = new Map<string, ClusterWorker>();
  readonly #views = new Map<string, RemoteWorker>();
  /** That their leases told last. */
  readonly #incarnations = new Map<string, number>();
  /** Without a lease when we looked last. */
  #absent = new Set<string>();
  #deaths = 0;

  /**
   * @param tell hears every change of their clients
   * @param mirror null: none is kept
   * @param look has the leases read soon, and given to {@link follow}
   * @param met hears of a worker that has come, or has come back
   */
  constructor(
    private readonly tell: RegistryHost['changed'],
    private readonly mirror: MirrorServices | null,
    private readonly look: () => void,
    private readonly met: (workerId: string) => void,
  ) {}

  get workers(): ReadonlyMap<string, ClusterWorker> {
    return this.#workers;
  }

  /** How many were found dead. */
  get deaths(): number {
    return this.#deaths;
  }

  get isComplete(): boolean {
    for (const view of this.#views.values()) if (!view.isComplete) return false;
    return true;
  }

  /** Another worker has told something; or somebody else has, in its name. */
  hear(hint: Hint): void {
    const { kind, workerId, changes } = hint;
    const view = this.#views.get(workerId);
    if (kind === 'left' || kind === 'dead') this.#hearEnd(hint);
    else if (view) view.hear(hint);
    else if (!this.mirror) for (const change of changes) this.tell(workerId, change, false);
    // Only a lease makes a worker: anything may stand in a hint, and one that died a moment ago may still be heard.
    if (kind === 'entered' && !view) this.look();
  }

  /**
   * What the leases tell.
   *
   * @param mayJudge whether a lease that is not there means that its worker is no more
   */
  follow(leases: readonly Lease[], mayJudge: boolean): void {
    for (const lease of leases) {
      // Whom we meet dead needs no mirror.
      if (lease.isExpired && !this.#views.has(lease.workerId)) continue;
      this.#meet(lease).follow(lease);
    }
    const present = new Set(leases.map(({ workerId }) => workerId));
    const absent = [...this.#workers.keys()].filter((workerId) => !present.has(workerId));
    // One look may have come between the loss of Redis' data and a worker's return.
    const gone = mayJudge ? absent.filter((workerId) => this.#absent.has(workerId)) : [];
    this.#absent = new Set(absent);
    for (const workerId of gone) {
      this.#deaths++;
      this.#drop(workerId);
    }
  }

  #hearEnd({ kind, workerId, incarnation, changes }: Hint): void {
    const view = this.#views.get(workerId);
    // In a cluster of Redis servers it may have been overtaken by the worker's return.
    if (view && view.incarnation > incarnation) return;
    if (view && kind === 'dead') this.#deaths++;
    this.#drop(workerId);
    // Who keeps a mirror has told of the ends by itself.
    if (!this.mirror) for (const change of changes) this.tell(workerId, change, true);
  }

  #meet({ workerId, incarnation, connections, beat, isExpired }: Lease): RemoteWorker {
    const isNews = this.#incarnations.get(workerId) !== incarnation;
    this.#incarnations.set(workerId, incarnation);
    this.#workers.set(workerId, { workerId, connections, beat, isExpired });
    let view = this.#views.get(workerId);
    if (!view) this.#views.set(workerId, (view = this.#view(workerId)));
    if (isNews) this.met(workerId);
    return view;
  }

  #view(workerId: string): RemoteWorker {
    const tell: ChangeListener = (change) => this.tell(workerId, change, !this.#workers.has(workerId));
    return this.mirror ? new MirroredWorker(workerId, tell, this.mirror) : new HeardWorker(tell);
  }

  #drop(workerId: string): void {
    const view = this.#views.get(workerId);
    // First of all, so that nobody counts on the worker while its end is told.
    this.#workers.delete(workerId);
    this.#incarnations.delete(workerId);
    this.#views.delete(workerId);
    view?.end();
  }
}
