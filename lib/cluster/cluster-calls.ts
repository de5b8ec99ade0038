import { Inject, Injectable } from '@nestjs/common';
import { toErrorPayload } from '../errors/exception-mapper.js';
import { WsError } from '../errors/ws.error.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';
import { workerOf } from '../runtime/client-id.js';
import { WorkerIdentity } from '../runtime/worker-identity.js';
import { PXL_WS_BROADCASTER, type Broadcaster } from './broadcaster.interface.js';
import type { ReceivedEnvelope, Target } from './envelope.js';
import { readObject, toJson } from './json-text.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from './registry/cluster-registry.interface.js';

/** How long workers have to answer. */
const DEADLINE = 1_000;

/** The call that asks for nothing but an answer. */
export const PING = 'ping';

/** What a call asks for: its name and its data, both of the caller's own. */
export interface ClusterCall {
  readonly name: string;
  readonly data: unknown;
}

/** What the workers have answered. */
export interface ClusterAnswers {
  readonly answers: readonly unknown[];
  /** What workers refused the call with. */
  readonly errors: readonly WsError[];
  /** Whether a worker did not answer in time. */
  readonly partial: boolean;
}

/** Answers a call of another worker. */
export type CallHandler = (call: ClusterCall) => unknown;

interface OpenCall {
  readonly answers: unknown[];
  readonly errors: WsError[];
  readonly awaited: Set<string>;
  finish(partial: boolean): void;
}

/** Questions that workers put to each other. A call settles within a second, whoever stays silent. */
@Injectable()
export class ClusterCalls {
  readonly #open = new Map<string, OpenCall>();
  #handler: CallHandler | null = null;
  #onAnswer: ((workerId: string) => void) | null = null;

  constructor(
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: Broadcaster,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    private readonly identity: WorkerIdentity,
    private readonly runtime: Runtime,
  ) {}

  /** Who answers the calls of others. */
  answerWith(handler: CallHandler): void {
    this.#handler = handler;
  }

  /** Who hears from which worker an answer has come, in time or not. */
  onAnswer(listener: (workerId: string) => void): void {
    this.#onAnswer = listener;
  }

  /**
   * Asks workers for a sign of life. Each that hears it answers; one of a version that does not know the question, with an
   * error.
   *
   * @throws WsError UNAVAILABLE when the bus is down
   */
  ping(workerIds: readonly string[]): Promise<void> {
    return this.#send(workerIds, 'call', toJson({ id: PING, name: PING }));
  }

  /**
   * Asks the other workers that may hold the target: those of the clients' ids, else all that live.
   *
   * @returns the answers; `partial` too while it is not known who lives
   * @throws WsError UNAVAILABLE when the bus is down, BAD_MESSAGE when the call has no JSON form
   */
  async ask(target: Target, call: ClusterCall): Promise<ClusterAnswers> {
    const workerIds = this.#workersOf(target);
    const isKnown = target.kind === 'clients' || this.registry.isReady;
    if (workerIds.length === 0) {
      if (!isKnown && !this.broadcaster.isReady) throw new WsError('UNAVAILABLE', 'Other workers cannot be reached.');
      return { answers: [], errors: [], partial: !isKnown };
    }
    const id = this.runtime.randomId(9);
    const text = toJson({ id, ...call });
    const answered = this.#expect(id, workerIds);
    try {
      await this.#send(workerIds, 'call', text);
    } catch (error) {
      this.#open.get(id)?.finish(true);
      throw error;
    }
    const outcome = await answered;
    return isKnown ? outcome : { ...outcome, partial: true };
  }

  /** @internal No more answers come. */
  end(): void {
    for (const call of [...this.#open.values()]) call.finish(true);
  }

  /** @internal A call or an answer of another worker. */
  receive({ origin, content }: ReceivedEnvelope): void {
    const data = readObject(content.text);
    if (origin === null || !data) return;
    if (content.kind === 'call') void this.#answer(origin, data);
    else this.#take(origin, data);
  }

  #workersOf(target: Target): string[] {
    const { workerId: self } = this.identity;
    const all = target.kind === 'clients' ? target.clientIds.map(workerOf) : [...this.registry.workers.keys()];
    return [...new Set(all)].filter((id) => id !== undefined && id !== self) as string[];
  }

  #expect(id: string, workerIds: readonly string[]): Promise<ClusterAnswers> {
    return new Promise((resolve) => {
      let timer: RuntimeTimer | null = null;
      const call: OpenCall = {
        answers: [],
        errors: [],
        awaited: new Set(workerIds),
        finish: (partial) => {
          timer?.cancel();
          this.#open.delete(id);
          resolve({ answers: call.answers, errors: call.errors, partial });
        },
      };
      this.#open.set(id, call);
      timer = this.runtime.deadline(DEADLINE, () => call.finish(true));
    });
  }

  async #answer(origin: string, { id, name, data }: Record<string, unknown>): Promise<void> {
    if (!this.#handler || typeof name !== 'string') return;
    let text: string;
    try {
      text = toJson({ id, answer: await this.#handler({ name, data }) });
    } catch (failure) {
      const { code, error } = toErrorPayload(failure);
      text = toJson({ id, error: { code, error } });
    }
    // Who asked is told nothing when the bus is down, and takes the silence for an answer.
    await this.#send([origin], 'answer', text).catch(() => undefined);
  }

  async #send(workerIds: readonly string[], kind: 'call' | 'answer', text: string): Promise<void> {
    await this.broadcaster.publish({
      target: { kind: 'workers', workerIds },
      exclude: [],
      isVolatile: false,
      content: { kind, text },
    });
  }

  #take(origin: string, { id, answer, error }: Record<string, unknown>): void {
    this.#onAnswer?.(origin);
    const call = this.#open.get(String(id));
    if (!call?.awaited.delete(origin)) return;
    if (isErrorPayload(error)) call.errors.push(new WsError(error.code, error.error));
    else call.answers.push(answer);
    if (call.awaited.size === 0) call.finish(false);
  }
}

function isErrorPayload(value: unknown): value is { code: string; error: string } {
  if (typeof value !== 'object' || value === null) return false;
  const { code, error } = value as Record<string, unknown>;
  return typeof code === 'string' && typeof error === 'string';
}
