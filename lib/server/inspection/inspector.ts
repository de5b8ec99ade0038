import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { LiveTraces } from '../../clients/traces/live-traces.js';
import { ClusterCalls } from '../../cluster/calls/cluster-calls.js';
import type { Inspection, InspectionAnswer, InspectionAnswers } from '../../cluster/calls/inspection.js';
import { isInstanceOf } from '../../errors/as-error.js';
import { WsError } from '../../errors/ws.error.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { RoomNames } from '../../rooms/room-names.js';
import { workerOf } from '../../runtime/client-id.js';
import { WorkerIdentity } from '../../runtime/worker-identity.js';
import { reportOf } from './client-reports.js';
import { WorkerLists } from './worker-lists.js';
import { WorkerSampler } from './worker-sampler.js';

/** What all workers have answered. */
export interface Inspected<What extends Inspection['what']> {
  /** This worker's own first. */
  readonly answers: readonly { readonly workerId: string; readonly value: InspectionAnswers[What] }[];
  /** Workers that have not answered in time. */
  readonly silent: readonly string[];
  /** Workers whose version cannot answer. */
  readonly older: readonly string[];
}

type Answer = InspectionAnswers[Inspection['what']];
type InspectionOf<What extends Inspection['what']> = Inspection & { readonly what: What };

/** What consoles ask: of this worker, and of all of them. */
@Injectable()
export class Inspector {
  readonly #names: RoomNames;

  constructor(
    private readonly sampler: WorkerSampler,
    private readonly lists: WorkerLists,
    private readonly traces: LiveTraces,
    private readonly clients: ClientRegistry,
    private readonly calls: ClusterCalls,
    private readonly identity: WorkerIdentity,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#names = RoomNames.of(options);
  }

  /** This worker, and the version of this package. */
  get origin(): { readonly workerId: string; readonly version: string } {
    return { workerId: this.identity.workerId, version: this.sampler.version };
  }

  /** Answers another worker. */
  async answer(inspection: Inspection): Promise<InspectionAnswer> {
    const { workerId } = this.identity;
    return { workerId, what: inspection.what, value: await this.#answer(inspection) };
  }

  /**
   * Asks all workers, or of a client the one that has it, within a second. A part of an answer is better than none: while the bus is
   * down it is this worker's.
   */
  async ask<What extends Inspection['what']>(inspection: InspectionOf<What>): Promise<Inspected<What>> {
    const [own, others] = await Promise.all([this.answer(inspection), this.#askOthers(inspection)]);
    const answers = [own, ...others.answers].filter((answer) => isTo(inspection, answer));
    return { answers, silent: others.silent, older: others.older };
  }

  async #askOthers(
    inspection: Inspection,
  ): Promise<{ answers: readonly InspectionAnswer[]; silent: readonly string[]; older: readonly string[] }> {
    const isOfOne = inspection.what === 'client' && workerOf(inspection.clientId) !== undefined;
    try {
      return await this.calls.ask(
        isOfOne ? { kind: 'clients', clientIds: [inspection.clientId] } : { kind: 'everybody' },
        { name: 'inspect', data: inspection },
      );
    } catch (error) {
      if (isInstanceOf(error, WsError) && error.retryable) return { answers: [], silent: this.calls.others, older: [] };
      throw error;
    }
  }

  #answer(inspection: Inspection): Answer | Promise<Answer> {
    switch (inspection.what) {
      case 'sample':
        return this.sampler.read(inspection.withRoutes);
      case 'rooms':
        return this.lists.rooms(inspection.page);
      case 'users':
        return this.lists.users(inspection.page);
      case 'clients':
        return this.lists.clientsOf(inspection);
      case 'client': {
        const session = this.clients.get(inspection.clientId);
        return session ? reportOf(session, this.#names, inspection.payloads) : null;
      }
      case 'trace':
        return inspection.isOver ? this.traces.end(inspection.traceId) : this.traces.follow(inspection);
    }
  }
}

function isTo<What extends Inspection['what']>(
  { what }: InspectionOf<What>,
  answer: InspectionAnswer,
): answer is InspectionAnswer<What> {
  return answer.what === what;
}
