import {
  WsError,
  type WsBroadcaster,
  type WsBusHealth,
  type WsEnvelope,
  type WsReceiver,
  type WsTarget,
} from 'nestjs-pxl-websocket';

/** Joins the workers of one process. */
export class Hub {
  readonly #members = new Set<HubBroadcaster>();

  /** A worker's end of the hub. */
  join(workerId: string): HubBroadcaster {
    return new HubBroadcaster(workerId, this.#members);
  }
}

/** A bus between workers that live in one process: what a `WsBroadcaster` has to do, and nothing else. */
export class HubBroadcaster implements WsBroadcaster {
  readonly #interests = new Map<string, number>();
  readonly #changed: ((isReady: boolean) => void)[] = [];
  #receive: WsReceiver | null = null;
  #isCutOff = false;

  constructor(
    readonly workerId: string,
    private readonly members: Set<HubBroadcaster>,
  ) {}

  start(receive: WsReceiver): Promise<void> {
    this.#receive = receive;
    this.members.add(this);
    return Promise.resolve();
  }

  publish(envelope: WsEnvelope): Promise<void> {
    if (!this.isReady) return Promise.reject(unreachable());
    for (const member of this.members) {
      if (member === this || !member.isReady || !member.#wants(envelope.target)) continue;
      queueMicrotask(() => member.#receive?.({ ...envelope, origin: this.workerId }));
    }
    return Promise.resolve();
  }

  acquireRoom(roomName: string): Promise<void> | undefined {
    if (!this.isReady) return Promise.reject(unreachable());
    this.#acquire(`room ${roomName}`);
    return undefined;
  }

  releaseRoom(roomName: string): void {
    this.#release(`room ${roomName}`);
  }

  acquireUser(userId: string): Promise<void> | undefined {
    this.#acquire(`user ${userId}`);
    return undefined;
  }

  releaseUser(userId: string): void {
    this.#release(`user ${userId}`);
  }

  acquireEvents(channel: string): Promise<void> | undefined {
    this.#acquire(`event ${channel}`);
    return undefined;
  }

  acquireAllEvents(): Promise<void> | undefined {
    this.#acquire('events');
    return undefined;
  }

  get isReady(): boolean {
    return this.members.has(this) && !this.#isCutOff;
  }

  get health(): WsBusHealth {
    return { connected: this.isReady, probeMs: 0, lastError: null };
  }

  onChange(changed: (isReady: boolean) => void): void {
    this.#changed.push(changed);
  }

  stop(): Promise<void> {
    this.members.delete(this);
    return Promise.resolve();
  }

  /** Nothing reaches it, and it reaches nobody, until what is returned is called. */
  cutOff(): () => void {
    this.#setCutOff(true);
    return () => this.#setCutOff(false);
  }

  #setCutOff(isCutOff: boolean): void {
    this.#isCutOff = isCutOff;
    for (const changed of this.#changed) changed(!isCutOff);
  }

  #wants(target: WsTarget): boolean {
    switch (target.kind) {
      case 'everybody':
        return true;
      case 'clients':
        return target.clientIds.some((clientId) => clientId.startsWith(`${this.workerId}.`));
      case 'users':
        return target.userIds.some((userId) => this.#interests.has(`user ${userId}`));
      case 'rooms':
        return target.roomNames.some((roomName) => this.#interests.has(`room ${roomName}`));
      case 'workers':
        return target.workerIds.includes(this.workerId);
      case 'subscribers':
        return this.#interests.has('events') || this.#interests.has(`event ${target.channel}`);
    }
  }

  #acquire(name: string): void {
    this.#interests.set(name, (this.#interests.get(name) ?? 0) + 1);
  }

  #release(name: string): void {
    const count = this.#interests.get(name) ?? 0;
    if (count > 1) this.#interests.set(name, count - 1);
    else this.#interests.delete(name);
  }
}

function unreachable(): WsError {
  return new WsError('UNAVAILABLE', 'The hub cannot be reached.', { retryable: true });
}
