import { Inject, Injectable } from '@nestjs/common';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import type { WsTraceContext } from '../../tracing/trace-context.js';
import { Tracing } from '../../tracing/tracing.js';
import { PXL_WS_BROADCASTER, type WsBroadcaster } from '../bus/broadcaster.interface.js';
import { BusSender } from '../bus/bus-sender.js';
import { spanOf } from '../bus/envelope-spans.js';
import type { WsReceivedEnvelope } from '../bus/envelope.js';
import { readJson, toJson } from '../bus/json-text.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../registry/cluster-registry.interface.js';

/** An event of the cluster, as every worker receives it. */
export interface ClusterEvent {
  readonly channel: string;
  readonly message: unknown;
  /** True on exactly one worker of the cluster: the one that acts where only one may. */
  readonly isResponsible: boolean;
  /** The span that has published it. Undefined: none has. */
  readonly trace?: WsTraceContext | undefined;
}

/** Takes an event. Must not throw. */
export type ClusterEventListener = (event: ClusterEvent) => void;

/**
 * The events of the cluster. Every worker receives all of them, including its own. Events that one worker publishes come in
 * order, and so do the events about its clients, which travel with the registry; between the two kinds there is no order.
 */
@Injectable()
export class ClusterEvents {
  readonly #listeners: ClusterEventListener[] = [];
  readonly #interests: ((channel: string) => boolean)[] = [];
  #isMember = false;

  constructor(
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: WsBroadcaster,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    private readonly identity: WorkerIdentity,
    private readonly bus: BusSender,
    private readonly tracing: Tracing,
  ) {}

  /**
   * Registers a listener for the acquired channels, for events published here, and for those about clients, users and rooms.
   *
   * @param hears whether events of a channel are of use to it
   */
  listen(listener: ClusterEventListener, hears: (channel: string) => boolean = () => true): void {
    this.#listeners.push(listener);
    this.#interests.push(hears);
  }

  /**
   * Sends an event to every worker; this worker's listeners are called before it returns. On all workers, also this one,
   * they get the message as JSON carries it.
   *
   * @throws WsError BAD_MESSAGE, at once, when the message has no JSON form; rejects with UNAVAILABLE when the other
   * workers cannot be reached
   */
  publish(channel: string, message: unknown): Promise<void> {
    const text = toJson(message);
    if (!this.tracing.isOn) return this.#publish(channel, text);
    const { name, start } = spanOf('send', { kind: 'subscribers', channel });
    return this.tracing.within(name, start, (span) => this.#publish(channel, text, span.carried));
  }

  /**
   * Repeats a {@link publish} that failed, for the other workers only.
   *
   * @throws as {@link publish} does
   */
  publishToOthers(channel: string, message: unknown): Promise<void> {
    return this.#send(channel, toJson(message));
  }

  /** Receives the events of a channel from the moment the promise resolves; undefined: from now on. */
  acquire(channel: string): Promise<void> | undefined {
    return this.broadcaster.acquireEvents(channel);
  }

  /** Receives the events of all channels, as {@link acquire} does those of one. */
  acquireAll(): Promise<void> | undefined {
    return this.broadcaster.acquireAllEvents();
  }

  /** Takes an event that another worker has published. */
  receive({ origin, target, content, trace }: WsReceivedEnvelope): void {
    if (target.kind !== 'subscribers') return;
    const message = readJson(content.text);
    // An emitter is no worker, so the first worker is responsible in its place.
    if (!message) return;
    const isResponsible = origin === null && this.isFirst;
    this.tell({ channel: target.channel, message: message.value, isResponsible, trace });
  }

  /** Whether this worker has listeners. */
  get isHeard(): boolean {
    return this.#listeners.length > 0;
  }

  /** Whether events of a channel are of use to one of this worker's listeners. */
  isHeardOn(channel: string): boolean {
    return this.#interests.some((hears) => hears(channel));
  }

  /** Calls the listeners of this worker only. */
  tell(event: ClusterEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** This worker knows the others, and they know it. */
  enter(): void {
    this.#isMember = true;
  }

  /** This worker leaves the cluster. */
  leave(): void {
    this.#isMember = false;
  }

  /**
   * Whether this worker has the lowest id of all live workers, and so acts where no other is responsible. Always false before
   * it has entered the cluster and after it has left, while it may still receive events.
   */
  get isFirst(): boolean {
    if (!this.#isMember) return false;
    const { workerId } = this.identity;
    for (const other of this.registry.workers.keys()) if (other < workerId) return false;
    return true;
  }

  #publish(channel: string, text: string, trace?: WsTraceContext): Promise<void> {
    if (this.isHeard) this.tell({ channel, message: JSON.parse(text), isResponsible: true, trace });
    return this.#send(channel, text);
  }

  #send(channel: string, text: string): Promise<void> {
    return this.bus.publish({
      target: { kind: 'subscribers', channel },
      exclude: [],
      isVolatile: false,
      content: { kind: 'event', text },
    });
  }
}
