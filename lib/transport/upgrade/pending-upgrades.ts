import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { Admission, type AdmissionResult, type Candidate } from '../../auth/admission.js';
import { AuthRefusals } from '../../auth/auth-refusals.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import { RefusalCounters } from '../../limits/refusal-counters.js';
import type { Codec } from '../../protocol/codec.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime } from '../../runtime/runtime.js';
import type { TraceSpan } from '../../tracing/trace-span.js';
import type { Endpoint } from '../endpoint/endpoint.js';
import type { HttpRefusal } from './http-refusal.js';
import { REFUSALS, UpgradeRefusals } from './upgrade-refusals.js';
import { endGone } from './upgrade-span.js';

/** An upgrade that has passed the checks, with the candidate that it brings. */
export interface Upgrade {
  readonly endpoint: Endpoint;
  readonly server: Server;
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  readonly head: Buffer;
  readonly codec: Codec;
  readonly candidate: Candidate;
  /** When its request came (monotonic, ms); NaN: that is not measured. */
  readonly begunAt: number;
  /** Null: none is made. */
  readonly span: TraceSpan | null;
}

/** The upgrades whose authentication runs: `limits.pendingUpgrades` at a time, each for `limits.upgradeTimeout`. */
@Injectable()
export class PendingUpgrades {
  readonly #logger = new ModuleLogger();
  readonly #pending = new Set<Upgrade>();
  #warnedOfCut = false;

  constructor(
    private readonly admission: Admission,
    private readonly refusals: UpgradeRefusals,
    private readonly authRefusals: AuthRefusals,
    private readonly counters: RefusalCounters,
    private readonly errors: ErrorReporter,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether there are as many as may be; counted as a refusal then. */
  isFull(): boolean {
    const { pendingUpgrades } = this.options.limits;
    if (pendingUpgrades === false || this.#pending.size < pendingUpgrades) return false;
    this.counters.count('pendingUpgrades');
    return true;
  }

  /** Authenticates the candidate, and calls `decide` unless the upgrade was refused or has ended meanwhile. Never rejects. */
  async admit(upgrade: Upgrade, decide: (result: AdmissionResult) => void): Promise<void> {
    const { stream, candidate } = upgrade;
    const limit = candidate.options.limits.upgradeTimeout;
    const late = (): void => {
      this.counters.count('upgradeTimeout');
      this.authRefusals.count(candidate.options, 'timeout');
      this.#refuse(upgrade, REFUSALS.late);
    };
    const timer = limit === false ? undefined : this.runtime.timeout(limit, late);
    this.#pending.add(upgrade);
    const result = await this.admission.ofUpgrade(candidate);
    timer?.cancel();
    if (result.outcome === 'failed') {
      const about = { clientId: candidate.clientId, path: upgrade.endpoint.path };
      this.errors.report('The authentication of an upgrade failed.', result.error, about);
      upgrade.span?.failed(result.error);
    }
    if (!this.#pending.delete(upgrade)) return; // refused meanwhile
    if (stream.destroyed || stream.writableEnded) this.#ended(upgrade);
    else decide(result);
  }

  /** The server stops: its close would wait for these upgrades. */
  refuseAll(): void {
    for (const upgrade of this.#pending) this.#refuse(upgrade, REFUSALS.closed);
  }

  #refuse(upgrade: Upgrade, refusal: HttpRefusal): void {
    this.#pending.delete(upgrade);
    this.refusals.refuse(upgrade, refusal);
  }

  /** Socket.IO on the same server ends upgrades of other paths after a second, unless it is told not to. */
  #ended({ server, stream, span }: Upgrade): void {
    if (span) endGone(span);
    stream.destroy(); // nobody reads it, so the end of its peer would never be noticed
    if (!stream.writableEnded || server.listenerCount('upgrade') < 2 || this.#warnedOfCut) return;
    this.#warnedOfCut = true;
    this.#logger.warn(
      'Another listener ended an upgrade while it was being authenticated: give Socket.IO the option destroyUpgrade: false.',
    );
  }
}
