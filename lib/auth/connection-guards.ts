import {
  ForbiddenException,
  Inject,
  Injectable,
  UnauthorizedException,
  type CanActivate,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { isObservable, lastValueFrom } from 'rxjs';
import { isInstanceOf } from '../errors/as-error.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { ConnectionCandidate } from './connection-candidate.js';
import { ConnectionContext } from './connection-context.js';
import type { ConnectionGuard } from './decorators/use-connection-guards.decorator.js';
import { RuleFactory, type InstanceSource } from './rule-factory.js';

/** What the guards said. */
export type GuardResult =
  | { readonly outcome: 'accepted' | 'unauthenticated' | 'forbidden' }
  | { readonly outcome: 'failed'; readonly error: unknown };

/** A guard, and the gateway that asks for it. */
export interface BoundGuard {
  readonly guard: InstanceSource<CanActivate>;
  readonly type: Type;
  readonly method: (...args: unknown[]) => unknown;
}

/** What guards see as the handler where there is no gateway, or its class has no `handleConnection`. */
function handleConnection(): void {}

/** Runs the guards of connections: those of the options, then those of the endpoint's gateways. */
@Injectable()
export class ConnectionGuards implements OnModuleInit {
  #everywhere: readonly BoundGuard[] = [];

  constructor(
    private readonly rules: RuleFactory,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** @throws PxlWebSocketSetupError when a guard cannot be made */
  async onModuleInit(): Promise<void> {
    if (this.options.enabled) this.#everywhere = await this.bind(this.options.connectionGuards, ConnectionCandidate);
  }

  /**
   * Makes the guards of a gateway ready.
   *
   * @param moduleRef of the gateway's module, whose providers its guards can have
   * @throws PxlWebSocketSetupError when a guard cannot be made
   */
  bind(guards: readonly ConnectionGuard[], type: Type, moduleRef?: ModuleRef): Promise<BoundGuard[]> {
    const { handleConnection: own } = type.prototype as { handleConnection?: BoundGuard['method'] };
    const method = own ?? handleConnection;
    return Promise.all(
      guards.map(async (guard) => {
        const source = typeof guard === 'function' ? await this.rules.sourceOf(guard, moduleRef) : () => guard;
        return { guard: source, type, method };
      }),
    );
  }

  /** Whether there is no guard to ask. */
  areNone(ofEndpoint: readonly BoundGuard[]): boolean {
    return this.#everywhere.length === 0 && ofEndpoint.length === 0;
  }

  /** Asks one guard after the other, up to the first that refuses. Never rejects. */
  async check(candidate: ConnectionCandidate, ofEndpoint: readonly BoundGuard[]): Promise<GuardResult> {
    try {
      for (const { guard, type, method } of [...this.#everywhere, ...ofEndpoint]) {
        const answer = (await guard(candidate.request)).canActivate(new ConnectionContext(candidate, type, method));
        const allowed = isObservable(answer) ? await lastValueFrom(answer) : await answer;
        if (!allowed) return { outcome: 'unauthenticated' };
      }
      return { outcome: 'accepted' };
    } catch (error) {
      if (isInstanceOf(error, UnauthorizedException)) return { outcome: 'unauthenticated' };
      if (isInstanceOf(error, ForbiddenException)) return { outcome: 'forbidden' };
      return { outcome: 'failed', error };
    }
  }
}
