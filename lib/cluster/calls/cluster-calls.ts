import { Inject, Injectable } from '@nestjs/common';
import { toErrorPayload } from '../../errors/exception-mapper.js';
import { WsError } from '../../errors/ws.error.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { workerOf } from '../../runtime/client-id.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { PXL_WS_BROADCASTER, type Broadcaster } from '../bus/broadcaster.interface.js';
import type { WsReceivedEnvelope, WsTarget } from '../bus/envelope.js';
import { readObject, toJson } from '../bus/json-text.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../registry/cluster-registry.interface.js';
import { UndoableCalls } from './undoable-calls.js';

/** How long workers have to answer. */
const DEADLINE = 1_000;

/** The call that undoes another one, whose id is its data. Nobody waits for the answer. */
const GIVE_UP = 'giveUp';

/** The call that asks for nothing but an answer. */
export const PING = 'ping';

/** The call that asks a worker to write into Redis what it knows of revocations; answered when that is done. */
export const SHARE_REVOCATIONS = 'shareRevocations';

/** What a call asks for: its name and its data, both of the caller's own. */
export interface ClusterCall {
  readonly name: string;
  readonly data: unknown;
  /** True: a worker that did not answer in time undoes what it has done, or does not do it. */
  readonly isUndoable?: boolean;
}

/** What the workers have answered. */
export interface ClusterAnswers {
  readonly answers: readonly unknown[];
  /** What workers refused the call with. */
  readonly errors: readonly WsError[];
  /** Whether a worker did not answer in time. */
  readonly partial: boolean;
}

/**
 * Answers a call of another worker.
 *
 * @param whenGivenUp told what undoes the call, should its caller have given up waiting for the answer, and what is called
 * once it cannot have any more
 */
export type CallHandler = (call: ClusterCall, whenGivenUp: WhenGivenUp) => unknown;

export type WhenGivenUp = (undo: () => void, stay: () => void) => void;

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
  readonly #undoable: UndoableCalls;
  #handler: CallHandler | null = null;
  #onAnswer: ((workerId: string) => void) | null = null;

  constructor(
    @Inject(PXL_WS_BROADCASTER) private readonly broadcaster: Broadcaster,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    private readonly identity: WorkerIdentity,
    private readonly runtime: Runtime,
  ) {
    this.#undoable = new UndoableCalls(runtime);
  }

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
   * Asks the other workers that may hold the target: those of the clients' ids, those that are named, else all that live.
   *
   * @returns the answers; `partial` too while it is not known who lives
   * @throws WsError UNAVAILABLE when the bus is down, BAD_MESSAGE when the call has no JSON form
   */
  async ask(target: WsTarget, { name, data, isUndoable }: ClusterCall): Promise<ClusterAnswers> {
    const workerIds = this.#workersOf(target);
    const isKnown = target.kind === 'clients' || this.registry.isReady;
    if (workerIds.length === 0) {
      if (!isKnown && !this.broadcaster.isReady) throw new WsError('UNAVAILABLE', 'Other workers cannot be reached.');
      return { answers: [], errors: [], partial: !isKnown };
    }
    const id = this.runtime.randomId(9);
    const text = toJson({ id, name, data });
    const answered = this.#expect(id, workerIds, (silent) => isUndoable && this.#giveUp(silent, id));
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
  receive({ origin, content }: WsReceivedEnvelope): void {
    const data = readObject(content.text);
    if (origin === null || !data) return;
    if (content.kind === 'call') void this.#answer(origin, data);
    else this.#take(origin, data);
  }

  #workersOf(target: WsTarget): string[] {
    const { workerId: self } = this.identity;
    return [...new Set(this.#holdersOf(target))].filter((id) => id !== undefined && id !== self) as string[];
  }

  #holdersOf(target: WsTarget): readonly (string | undefined)[] {
    if (target.kind === 'workers') return target.workerIds;
    return target.kind === 'clients' ? target.clientIds.map(workerOf) : [...this.registry.workers.keys()];
  }

  /** @param givenUp hears which workers have not answered in time */
  #expect(
    id: string,
    workerIds: readonly string[],
    givenUp: (silent: readonly string[]) => unknown,
  ): Promise<ClusterAnswers> {
    return new Promise((resolve) => {
      let timer: RuntimeTimer | null = null;
      const call: OpenCall = {
        answers: [],
        errors: [],
        awaited: new Set(workerIds),
        finish: (partial) => {
          timer?.cancel();
          this.#open.delete(id);
          if (partial) givenUp([...call.awaited]);
          resolve({ answers: call.answers, errors: call.errors, partial });
        },
      };
      this.#open.set(id, call);
      timer = this.runtime.deadline(DEADLINE, () => call.finish(true));
    });
  }

  async #answer(origin: string, { id, name, data }: Record<string, unknown>): Promise<void> {
    if (!this.#handler || typeof name !== 'string') return;
    if (name === GIVE_UP) {
      this.#undoable.undo(origin, data);
      return;
    }
    const since = this.runtime.monotonic();
    let text: string;
    try {
      const answer = await this.#handler({ name, data }, (undo, stay) => this.#undoable.keep(origin, id, undo, stay));
      text = toJson({ id, answer, isUndoable: this.#undoable.has(origin, id) || undefined });
    } catch (failure) {
      const { code, error } = toErrorPayload(failure);
      text = toJson({ id, error: { code, error } });
    }
    // Who asked began to wait before this worker heard of it.
    if (this.runtime.monotonic() - since > DEADLINE) this.#undoable.undo(origin, id);
    // Who asked is told nothing when the bus is down, and takes the silence for an answer.
    await this.#send([origin], 'answer', text).catch(() => this.#undoable.undo(origin, id));
  }

  /** What these workers have done for the call, or are about to do, is to be undone. */
  #giveUp(workerIds: readonly string[], id: string): void {
    const text = toJson({ id: this.runtime.randomId(9), name: GIVE_UP, data: id });
    // Without the bus they do not reach this worker either, and undo it by themselves.
    this.#send(workerIds, 'call', text).catch(() => undefined);
  }

  async #send(workerIds: readonly string[], kind: 'call' | 'answer', text: string): Promise<void> {
    await this.broadcaster.publish({
      target: { kind: 'workers', workerIds },
      exclude: [],
      isVolatile: false,
      content: { kind, text },
    });
  }

  #take(origin: string, { id, answer, error, isUndoable }: Record<string, unknown>): void {
    this.#onAnswer?.(origin);
    const call = this.#open.get(String(id));
    if (!call && isUndoable === true) this.#giveUp([origin], String(id));
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
