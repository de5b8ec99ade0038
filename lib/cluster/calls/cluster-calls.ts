import { Inject, Injectable } from '@nestjs/common';
import { toErrorPayload } from '../../errors/exception-mapper.js';
import { WsError } from '../../errors/ws.error.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { workerOf } from '../../runtime/client-id.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import type { WsTraceContext } from '../../tracing/trace-context.js';
import { Tracing } from '../../tracing/tracing.js';
import { BusSender } from '../bus/bus-sender.js';
import type { WsReceivedEnvelope, WsTarget } from '../bus/envelope.js';
import { isObject, isText, readObject, toJson } from '../bus/json-text.js';
import { PXL_WS_REGISTRY, type ClusterRegistry } from '../registry/cluster-registry.interface.js';
import {
  isAnswerTo,
  isUndoable,
  readCall,
  type AnsweredCall,
  type ClusterAnswers,
  type ClusterCall,
} from './cluster-call.js';
import { UndoableCalls } from './undoable-calls.js';

/** Milliseconds that workers have to answer. */
const DEADLINE = 1_000;

const PING: ClusterCall = { name: 'ping' };

/** The answers of several workers to one call. */
export interface CallOutcome<Answer> {
  readonly answers: readonly Answer[];
  /** The errors that workers answered with. */
  readonly errors: readonly WsError[];
  /** Whether a worker did not answer in time. */
  readonly partial: boolean;
  /** The workers that did not. */
  readonly silent: readonly string[];
  /** Those whose version does not know the call; their errors are among the others. */
  readonly older: readonly string[];
}

/**
 * Answers a call of another worker: with what it returns, or with the error that it throws.
 *
 * @param undoable to be called for a call that its caller may still give up: see {@link UndoableCalls.keep}
 */
export type CallHandler = (call: AnsweredCall, undoable: KeepUndo) => unknown;

/** @see UndoableCalls.keep */
export type KeepUndo = (undo: () => void, settled: () => void) => void;

/** A {@link CallOutcome} with answers as they came from the bus. */
interface RawOutcome extends Omit<CallOutcome<unknown>, 'errors'> {
  readonly errors: WsError[];
}

interface OpenCall {
  readonly answers: unknown[];
  readonly errors: WsError[];
  readonly older: string[];
  /** Ids of the workers that have not answered yet. */
  readonly awaited: Set<string>;
  finish(partial: boolean): void;
}

/** Calls between workers, over the bus. A call settles within a second, even when workers stay silent. */
@Injectable()
export class ClusterCalls {
  readonly #open = new Map<string, OpenCall>();
  readonly #undoable: UndoableCalls;

  constructor(
    private readonly bus: BusSender,
    @Inject(PXL_WS_REGISTRY) private readonly registry: ClusterRegistry,
    private readonly identity: WorkerIdentity,
    private readonly runtime: Runtime,
    private readonly tracing: Tracing,
  ) {
    this.#undoable = new UndoableCalls(runtime);
  }

  /**
   * Asks workers for a sign of life, without waiting for it: the caller sees the answers as envelopes. A worker of a version
   * that does not know this call answers with an error.
   *
   * @throws WsError UNAVAILABLE when the bus is down
   */
  ping(workerIds: readonly string[]): Promise<void> {
    return this.#sendCall(workerIds, PING.name, PING);
  }

  /**
   * Calls the other workers that may hold the target: the workers in the ids of clients, the named workers, otherwise all
   * live workers.
   *
   * @returns the answers; `partial` also while it is not known which workers live
   * @throws WsError UNAVAILABLE when the bus is down, BAD_MESSAGE when the call has no JSON form
   */
  async ask<Name extends AnsweredCall['name']>(
    target: WsTarget,
    call: AnsweredCall & { readonly name: Name },
  ): Promise<CallOutcome<ClusterAnswers[Name]>> {
    const workerIds = this.#workersOf(target);
    const isKnown = target.kind === 'clients' || this.registry.isReady;
    if (workerIds.length === 0) {
      if (!isKnown && !this.bus.isReady) throw new WsError('UNAVAILABLE', 'Other workers cannot be reached.');
      return { answers: [], errors: [], partial: !isKnown, silent: [], older: [] };
    }
    const { answers, errors, partial, ...missing } = await this.#askTraced(workerIds, call);
    const read: ClusterAnswers[Name][] = [];
    for (const answer of answers) {
      if (isAnswerTo(call.name, answer)) read.push(answer);
      else errors.push(new WsError('BAD_MESSAGE', `The answer of a worker to ${call.name} cannot be read.`));
    }
    return { answers: read, errors, partial: partial || !isKnown, ...missing };
  }

  /** The other live workers, as far as this one knows. */
  get others(): readonly string[] {
    return this.#workersOf({ kind: 'everybody' });
  }

  /** Ends all open calls with the answers so far. */
  end(): void {
    for (const call of [...this.#open.values()]) call.finish(true);
  }

  /** Takes a call of another worker, which `handler` answers, or an answer of another worker. */
  receive({ origin, content, trace }: WsReceivedEnvelope, handler: CallHandler): void {
    const data = readObject(content.text);
    if (origin === null || !data) return;
    if (content.kind === 'call') void this.#answer(origin, data, this.#traced(handler, trace));
    else this.#takeAnswer(origin, data);
  }

  #workersOf(target: WsTarget): string[] {
    const { workerId: self } = this.identity;
    return [...new Set(this.#holdersOf(target))].filter((id) => id !== undefined && id !== self) as string[];
  }

  #holdersOf(target: WsTarget): readonly (string | undefined)[] {
    if (target.kind === 'workers') return target.workerIds;
    return target.kind === 'clients' ? target.clientIds.map(workerOf) : [...this.registry.workers.keys()];
  }

  /** What a span asks is a span of its trace. */
  #askTraced(workerIds: readonly string[], call: AnsweredCall): Promise<RawOutcome> {
    if (!this.tracing.isOn || !this.tracing.isInside) return this.#ask(workerIds, call);
    const attributes = { 'rpc.method': call.name, 'pxl.target.count': workerIds.length };
    return this.tracing.within(`call ${call.name}`, { kind: 'client', attributes }, async (span) => {
      const outcome = await this.#ask(workerIds, call);
      if (outcome.partial) span.refused('TIMEOUT');
      else if (outcome.errors[0]) span.refused(outcome.errors[0].code);
      return outcome;
    });
  }

  /** Answers in a span of the caller's trace. */
  #traced(handler: CallHandler, parent: WsTraceContext | undefined): CallHandler {
    if (!parent || !this.tracing.isOn) return handler;
    return (call, undoable) => {
      const start = { kind: 'server', attributes: { 'rpc.method': call.name }, parent } as const;
      return this.tracing.within(`answer ${call.name}`, start, () => handler(call, undoable));
    };
  }

  async #ask(workerIds: readonly string[], call: AnsweredCall): Promise<RawOutcome> {
    const id = this.runtime.randomId(9);
    const text = toJson({ id, ...call });
    const outcome = this.#expect(id, workerIds, call);
    try {
      await this.#send(workerIds, 'call', text);
    } catch (error) {
      this.#open.get(id)?.finish(true);
      throw error;
    }
    return outcome;
  }

  #expect(id: string, workerIds: readonly string[], asked: AnsweredCall): Promise<RawOutcome> {
    return new Promise((resolve) => {
      let timer: RuntimeTimer | null = null;
      const call: OpenCall = {
        answers: [],
        errors: [],
        older: [],
        awaited: new Set(workerIds),
        finish: (partial) => {
          timer?.cancel();
          this.#open.delete(id);
          if (partial && isUndoable(asked)) this.#giveUp([...call.awaited], id);
          const { answers, errors, older, awaited } = call;
          resolve({ answers, errors, partial, silent: [...awaited], older });
        },
      };
      this.#open.set(id, call);
      // Where this process stood still, the answers may be there and not be read yet.
      const late = (): void => {
        if (this.#open.has(id)) call.finish(true);
      };
      timer = this.runtime.deadline(DEADLINE, () => this.runtime.afterIo(late));
    });
  }

  async #answer(origin: string, received: Record<string, unknown>, handler: CallHandler): Promise<void> {
    const { id } = received;
    if (!isText(received.name)) return;
    const receivedAt = this.runtime.monotonic();
    let text: string;
    try {
      const call = readCall(received);
      if (call.name === 'giveUp') {
        this.#undoable.undo(origin, call.data);
        return;
      }
      const undoable: KeepUndo = (undo, settled) => this.#undoable.keep(origin, id, undo, settled);
      const answer = await (call.name === 'ping' ? null : handler(call, undoable));
      text = toJson({ id, answer, isUndoable: this.#undoable.has(origin, id) || undefined });
    } catch (failure) {
      const { code, error } = toErrorPayload(failure);
      text = toJson({ id, error: { code, error } });
    }
    // The caller began to wait before the call arrived here, so it has given up by now.
    if (this.runtime.monotonic() - receivedAt > DEADLINE) this.#undoable.undo(origin, id);
    // When the answer cannot be sent, the caller takes the silence for a failure.
    await this.#send([origin], 'answer', text).catch(() => this.#undoable.undo(origin, id));
  }

  /** Has these workers undo what they did for the call, or will do. */
  #giveUp(workerIds: readonly string[], id: string): void {
    // When the bus is down, the workers cannot send their answers either, and undo the call by themselves.
    this.#sendCall(workerIds, this.runtime.randomId(9), { name: 'giveUp', data: id }).catch(() => undefined);
  }

  #sendCall(workerIds: readonly string[], id: string, call: ClusterCall): Promise<void> {
    return this.#send(workerIds, 'call', toJson({ id, ...call }));
  }

  async #send(workerIds: readonly string[], kind: 'call' | 'answer', text: string): Promise<void> {
    await this.bus.publish({
      target: { kind: 'workers', workerIds },
      exclude: [],
      isVolatile: false,
      content: { kind, text },
    });
  }

  #takeAnswer(origin: string, { id, answer, error, isUndoable: mayUndo }: Record<string, unknown>): void {
    const call = this.#open.get(String(id));
    if (!call && mayUndo === true) this.#giveUp([origin], String(id));
    if (!call?.awaited.delete(origin)) return;
    if (isErrorPayload(error)) {
      call.errors.push(new WsError(error.code, error.error));
      if (error.code === 'UNKNOWN_ROUTE') call.older.push(origin);
    } else call.answers.push(answer);
    if (call.awaited.size === 0) call.finish(false);
  }
}

function isErrorPayload(value: unknown): value is { code: string; error: string } {
  return isObject(value) && isText(value.code) && isText(value.error);
}
