import { Inject, Injectable, type OnModuleInit, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { ErrorReporter } from '../errors/error-reporter.js';
import type { WsAuthenticateOption } from '../options/auth.options.js';
import { isClassWith } from '../options/checks/class-checks.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import type { WsAuthenticator, WsCredentials } from '../options/authenticator.js';
import { PASS, type Decision } from './decision.js';
import type { Identity } from './identity.js';
import { reasonOfTokenError } from './jwt/jwt-failure.js';
import { JwtAuthenticator } from './jwt/jwt.authenticator.js';
import { readVerdict } from './read-verdict.js';
import type { RefusalReason } from './refusal-reason.js';
import { RuleFactory } from './rule-factory.js';
import { thrownRefusal } from './thrown-refusal.js';
import { findToken } from './tokens/token-extractor.js';

/** The result of an authentication. */
export type AuthenticationResult =
  | { readonly outcome: 'accepted'; readonly identity: Identity }
  /** There were no credentials: every authenticator passed, and no token was sent. */
  | { readonly outcome: 'missing' }
  | Refused
  | { readonly outcome: 'failed'; readonly error: unknown };

/** A refusal, and who has refused. */
export interface Refused {
  readonly outcome: 'unauthenticated' | 'forbidden';
  readonly reason: RefusalReason;
  /** The name of the application's authenticator or guard. */
  readonly by?: string | undefined;
}

/** A connection before its credentials are read, with the options of its endpoint. */
type Unauthenticated = Pick<WsCredentials, 'request' | 'clientId'> & { readonly options: ResolvedOptions };

/** An authenticator with its name for the log, if it is the application's own. */
interface NamedAuthenticator {
  readonly name?: string;
  decide(credentials: WsCredentials): Promise<Decision>;
}

/**
 * Asks the authenticators which user connects: `auth.jwt` first, then `auth.authenticate` in order. The first one that
 * returns an identity or refuses decides.
 */
@Injectable()
export class Authentication implements OnModuleInit {
  /** By the options of their endpoints. */
  readonly #authenticators = new Map<ResolvedOptions, readonly NamedAuthenticator[]>();

  constructor(
    private readonly moduleRef: ModuleRef,
    private readonly rules: RuleFactory,
    private readonly runtime: Runtime,
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** @throws PxlWebSocketSetupError when an authenticator cannot be made */
  async onModuleInit(): Promise<void> {
    if (!this.options.enabled) return;
    for (const options of allOptions(this.options)) this.#authenticators.set(options, await this.#create(options));
  }

  async #create({ auth }: ResolvedOptions): Promise<readonly NamedAuthenticator[]> {
    const jwt = auth.jwt && (await JwtAuthenticator.create(auth, this.moduleRef, this.runtime));
    const own = await Promise.all(
      auth.authenticate.map(async (authenticate, index): Promise<NamedAuthenticator> => {
        const place = auth.authenticate.length === 1 ? '' : `[${index}]`;
        const ask = await this.#resolve(authenticate);
        return {
          name: `auth.authenticate${place}${nameOf(authenticate)}`,
          decide: (credentials) => decide(ask, credentials),
        };
      }),
    );
    return jwt ? [{ decide: (credentials) => jwt.decide(credentials) }, ...own] : own;
  }

  /** Whether there is an authenticator; without one every client is anonymous. */
  isConfigured(options: ResolvedOptions): boolean {
    return this.#of(options).length > 0;
  }

  /** Authenticates an upgrade request. Never rejects. */
  async ofUpgrade({ options, request, clientId }: Unauthenticated): Promise<AuthenticationResult> {
    const found = findToken(request, options.auth.tokenFrom);
    if (found.kind === 'contradiction') return { outcome: 'unauthenticated', reason: 'several_tokens' };
    const token = found.kind === 'token' ? found.token : undefined;
    return this.#ask(options, { request, clientId, source: 'upgrade', token });
  }

  /** Authenticates by the data of a message. Never rejects. */
  async ofMessage({ options, request, clientId }: Unauthenticated, data: unknown): Promise<AuthenticationResult> {
    const { token } = (typeof data === 'object' && data !== null ? data : {}) as { token?: unknown };
    const text = typeof token === 'string' ? token : undefined;
    return this.#ask(options, { request, clientId, source: 'message', data, token: text });
  }

  #of(options: ResolvedOptions): readonly NamedAuthenticator[] {
    return this.#authenticators.get(options) ?? [];
  }

  async #ask(options: ResolvedOptions, credentials: WsCredentials): Promise<AuthenticationResult> {
    let by: string | undefined;
    try {
      for (const authenticator of this.#of(options)) {
        by = authenticator.name;
        const decision = await authenticator.decide(credentials);
        if (decision.kind === 'pass') continue;
        if (decision.kind === 'identity') return { outcome: 'accepted', identity: decision.identity };
        if (by !== undefined && decision.fault !== undefined) this.#reportFault(by, decision.fault, credentials);
        return { outcome: 'unauthenticated', reason: decision.reason, by };
      }
      if (credentials.token === undefined) return { outcome: 'missing' };
      return { outcome: 'unauthenticated', reason: 'nobody_knows' };
    } catch (error) {
      const refused = thrownRefusal(error);
      return refused ? { ...refused, reason: refused.reason ?? 'refused', by } : { outcome: 'failed', error };
    }
  }

  /** Reports the fault to the application, since the client cannot do anything about it. */
  #reportFault(name: string, fault: string, { clientId }: WsCredentials): void {
    const allowed =
      'an object with a userId (a text that is not empty, or a number) or { anonymous: true }, null or false';
    this.errors.report('An authentication failed.', new Error(`${name} has returned ${fault}, not ${allowed}.`), {
      clientId,
    });
  }

  async #resolve(authenticate: WsAuthenticateOption): Promise<(credentials: WsCredentials) => unknown> {
    if (!isClassWith('authenticate', authenticate)) return authenticate as (credentials: WsCredentials) => unknown;
    const source = await this.rules.sourceOf(authenticate as Type<WsAuthenticator>);
    return async (credentials) => (await source(credentials.request)).authenticate(credentials);
  }
}

async function decide(ask: (credentials: WsCredentials) => unknown, credentials: WsCredentials): Promise<Decision> {
  try {
    return readVerdict(await ask(credentials));
  } catch (error) {
    // The authenticator has verified a missing token: the client may still bring one by message.
    if (credentials.token === undefined && reasonOfTokenError(error) === 'missing') return PASS;
    throw error;
  }
}

/** The name of a class or function; of a method or a bound function its own name. */
function nameOf({ name }: { readonly name: unknown }): string {
  const own = typeof name === 'string' ? name.replace(/^(?:bound )+/, '') : '';
  return own === '' || own === 'authenticate' ? '' : ` (${own})`;
}
