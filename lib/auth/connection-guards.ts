import { Inject, Injectable, type CanActivate, type OnModuleInit, type Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { ErrorReporter } from '../errors/error-reporter.js';
import { kindOf } from '../errors/kind-of.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { Refused } from './authentication.js';
import { ConnectionCandidate } from './connection-candidate.js';
import { ConnectionContext } from './connection-context.js';
import type { ConnectionGuard } from './decorators/use-connection-guards.decorator.js';
import { RuleFactory, type InstanceSource } from './rule-factory.js';
import { thrownRefusal } from './thrown-refusal.js';

/** The refusal or failure of a guard. */
export type GuardRefusal = Refused | { readonly outcome: 'failed'; readonly error: unknown };

/** A guard and its gateway. */
export interface BoundGuard {
  readonly guard: InstanceSource<CanActivate>;
  readonly type: Type;
  readonly method: (...args: unknown[]) => unknown;
}

/** What guards get as the handler when there is no gateway, or its class has no `handleConnection`. */
function handleConnection(): void {}

/** The handler of a gateway's connections. */
export function connectionHandlerOf(type: Type): (...args: unknown[]) => unknown {
  const { handleConnection: own } = type.prototype as { handleConnection?: BoundGuard['method'] };
  return own ?? handleConnection;
}

/** Runs the guards of connections: those of the options, then those of the endpoint's gateways. */
@Injectable()
export class ConnectionGuards implements OnModuleInit {
  #everywhere: readonly BoundGuard[] = [];

  constructor(
    private readonly rules: RuleFactory,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** @throws PxlWebSocketSetupError when a guard cannot be made */
  async onModuleInit(): Promise<void> {
    if (this.options.enabled) this.#everywhere = await this.bind(this.options.connectionGuards, ConnectionCandidate);
  }

  /**
   * Makes the guards of a gateway ready.
   *
   * @param moduleRef of the gateway's module, whose providers its guards can inject
   * @throws PxlWebSocketSetupError when a guard cannot be made
   */
  bind(guards: readonly ConnectionGuard[], type: Type, moduleRef?: ModuleRef): Promise<BoundGuard[]> {
    const method = connectionHandlerOf(type);
    return Promise.all(
      guards.map(async (guard) => {
        const source = typeof guard === 'function' ? await this.rules.sourceOf(guard, moduleRef) : () => guard;
        return { guard: source, type, method };
      }),
    );
  }

  /** Whether there are no guards. */
  areNone(ofEndpoint: readonly BoundGuard[]): boolean {
    return this.#everywhere.length === 0 && ofEndpoint.length === 0;
  }

  /** Asks one guard after the other, up to the first that refuses; null when none does. Never rejects. */
  async check(candidate: ConnectionCandidate, ofEndpoint: readonly BoundGuard[]): Promise<GuardRefusal | null> {
    let by: string | undefined;
    try {
      for (const { guard, type, method } of [...this.#everywhere, ...ofEndpoint]) {
        const instance = await guard(candidate.request);
        by = nameOf(instance);
        const answer: unknown = await instance.canActivate(new ConnectionContext(candidate, type, method));
        const allowed: unknown = isObservable(answer) ? await lastValueFrom(answer) : answer;
        if (allowed === true) continue;
        this.#reportOdd(by, allowed, candidate);
        return { outcome: 'unauthenticated', reason: 'guard', by };
      }
      return null;
    } catch (error) {
      const refused = thrownRefusal(error);
      return refused ? { ...refused, reason: refused.reason ?? 'guard', by } : { outcome: 'failed', error };
    }
  }

  /** A guard that answers neither true nor false may have returned the error that it should have thrown. */
  #reportOdd(name: string, answer: unknown, { clientId, user }: ConnectionCandidate): void {
    if (answer === false || answer === null || answer === undefined) return;
    const fault = new Error(`${name} has answered ${kindOf(answer)}, not true or false.`);
    this.errors.report('A connection guard failed.', fault, { clientId, userId: user?.userId });
  }
}

function nameOf(guard: CanActivate): string {
  const { name } = guard.constructor as { readonly name: unknown };
  return typeof name === 'string' && name !== 'Object' ? name : 'connectionGuards';
}
