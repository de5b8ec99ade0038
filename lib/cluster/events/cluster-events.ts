import { Inject, Injectable } from '@nestjs/common';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { PXL_WS_BROADCASTER, type Broadcaster } from '../bus/broadcaster.interface.js';
import type { WsReceivedEnvelope } from '../bus/envelope.js';
import { readJson, toJson } from '../bus/json-text.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../registry/cluster-registry.interface.js';

/** Something that happened in the cluster, as every worker hears it. */
export interface ClusterEvent {
  readonly channel: string;
  readonly message: unknown;
  /** Whether this worker is the one that acts where only one of the cluster may. */
  readonly isResponsible: boolean;
}

/** Hears an event. Must not throw. */
export type ClusterEventListener = (event: ClusterEvent) => void;

/**
 * The events that workers tell each other: each worker hears every one, its own included. Those that a sender publishes come
 * in order, and so do those of its clients, which travel with the registry; between the two there is no order.
 */
@Injectable()
export class ClusterEvents {
  readonly #listeners: ClusterEventListener[] = [];
  #isMember = false;

  constructor(
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: Broadcaster,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    private readonly identity: WorkerIdentity,
  ) {}

  /** Hears the events of the channels that this worker has acquired, its own ones, and those of clients and users. */
  listen(listener: ClusterEventListener): void {
    this.#listeners.push(listener);
  }

  /**
   * Tells every worker; this one before the call returns. Handlers get the message as JSON carries it, on every worker.
   *
   * @throws WsError BAD_MESSAGE at the call when the message has no JSON form; rejects with UNAVAILABLE when the others
   * cannot be reached
   */
  publish(channel: string, message: unknown): Promise<void> {
    const text = toJson(message);
    if (this.isHeard) this.tell({ channel, message: JSON.parse(text), isResponsible: true });
    return this.#send(channel, text);
  }

  /**
   * Tells the other workers of what {@link publish} has told this one before it failed.
   *
   * @throws as {@link publish} does
   */
  publishToOthers(channel: string, message: unknown): Promise<void> {
    return this.#send(channel, toJson(message));
  }

  /** Hears a channel from the moment the promise resolves; undefined: at once. */
  acquire(channel: string): Promise<void> | undefined {
    return this.broadcaster.acquireEvents(channel);
  }

  /** Hears the channels of all names, as {@link acquire} does one. */
  acquireAll(): Promise<void> | undefined {
    return this.broadcaster.acquireAllEvents();
  }

  /** @internal An event that another worker has published. */
  receive({ origin, target, content }: WsReceivedEnvelope): void {
    if (target.kind !== 'subscribers') return;
    const message = readJson(content.text);
    // An emitter has no handlers of its own, so one worker stands in for it.
    if (message)
      this.tell({ channel: target.channel, message: message.value, isResponsible: origin === null && this.isFirst });
  }

  /** @internal Whether anybody listens on this worker. */
  get isHeard(): boolean {
    return this.#listeners.length > 0;
  }

  /** @internal Tells the listeners of this worker alone. */
  tell(event: ClusterEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** @internal This worker knows who else there is, and they know of it. */
  enter(): void {
    this.#isMember = true;
  }

  /** @internal The others stop counting on this worker. */
  leave(): void {
    this.#isMember = false;
  }

  /**
   * @internal Whether this worker has the lowest id of all that live: the one that acts where nobody else would. It hears
   * events before it has met the others, and still hears them once they have forgotten it: one of them acts then.
   */
  get isFirst(): boolean {
    if (!this.#isMember) return false;
    const { workerId } = this.identity;
    for (const other of this.registry.workers.keys()) if (other < workerId) return false;
    return true;
  }

  #send(channel: string, text: string): Promise<void> {
    return this.broadcaster.publish({
      target: { kind: 'subscribers', channel },
      exclude: [],
      isVolatile: false,
      content: { kind: 'event', text },
    });
  }
}
