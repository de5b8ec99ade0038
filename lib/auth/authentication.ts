import {
  ForbiddenException,
  Inject,
  Injectable,
  UnauthorizedException,
  type OnModuleInit,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { isUserId } from '../clients/user-identity.js';
import { isInstanceOf } from '../errors/as-error.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import type { Authenticate } from '../interfaces/auth-options.interface.js';
import { isClassWith } from '../options/class-checks.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import type { WsAuthenticate, WsAuthenticator, WsCredentials, WsIdentity } from './authenticator.interface.js';
import { JwtAuthenticator } from './jwt.authenticator.js';
import { RuleFactory } from './rule-factory.js';
import { findToken } from './token-extractor.js';

/** What became of a connection's credentials. */
export type AuthenticationResult =
  | { readonly outcome: 'accepted'; readonly identity: WsIdentity }
  /** There were none: every authenticator passed, and no token was sent. */
  | { readonly outcome: 'missing' }
  | { readonly outcome: 'unauthenticated' }
  | { readonly outcome: 'forbidden' }
  | { readonly outcome: 'failed'; readonly error: unknown };

/** Who wants to be authenticated, and the options of the endpoint where. */
export type Claimant = Pick<WsCredentials, 'request' | 'clientId'> & { readonly options: ResolvedOptions };

/**
 * Asks the authenticators who connects: `auth.jwt` first, then `auth.authenticate` in order. The first one that answers
 * with an identity, or refuses, decides.
 */
@Injectable()
export class Authentication implements OnModuleInit {
  /** By the options of the endpoints that they serve. */
  readonly #authenticators = new Map<ResolvedOptions, readonly WsAuthenticate[]>();

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

  async #create({ auth }: ResolvedOptions): Promise<readonly WsAuthenticate[]> {
    const jwt = auth.jwt && (await JwtAuthenticator.create(auth, this.moduleRef, this.runtime));
    const own = await Promise.all(auth.authenticate.map((authenticate) => this.#resolve(authenticate)));
    return jwt ? [(credentials) => jwt.authenticate(credentials), ...own] : own;
  }

  /** Whether anybody is asked at all; without it everybody is anonymous. */
  isConfigured(options: ResolvedOptions): boolean {
    return this.#of(options).length > 0;
  }

  /** Authenticates an upgrade request. Never rejects. */
  async ofUpgrade({ options, request, clientId }: Claimant): Promise<AuthenticationResult> {
    const found = findToken(request, options.auth.tokenFrom);
    if (found.kind === 'contradiction') return { outcome: 'unauthenticated' };
    const token = found.kind === 'token' ? found.token : undefined;
    return this.#ask(options, { request, clientId, source: 'upgrade', token });
  }

  /** Authenticates by the data of a message. Never rejects. */
  async ofMessage({ options, request, clientId }: Claimant, data: unknown): Promise<AuthenticationResult> {
    const { token } = (typeof data === 'object' && data !== null ? data : {}) as { token?: unknown };
    const text = typeof token === 'string' ? token : undefined;
    return this.#ask(options, { request, clientId, source: 'message', data, token: text });
  }

  #of(options: ResolvedOptions): readonly WsAuthenticate[] {
    return this.#authenticators.get(options) ?? [];
  }

  async #ask(options: ResolvedOptions, credentials: WsCredentials): Promise<AuthenticationResult> {
    try {
      for (const authenticate of this.#of(options)) {
        const verdict = await authenticate(credentials);
        if (verdict === false) return { outcome: 'unauthenticated' };
        if (verdict && !isUsable(verdict)) return this.#refuseUnusable(credentials);
        if (verdict) return { outcome: 'accepted', identity: verdict };
      }
      return { outcome: credentials.token === undefined ? 'missing' : 'unauthenticated' };
    } catch (error) {
      if (isInstanceOf(error, UnauthorizedException)) return { outcome: 'unauthenticated' };
      if (isInstanceOf(error, ForbiddenException)) return { outcome: 'forbidden' };
      return { outcome: 'failed', error };
    }
  }

  /** As an empty claim in a token is refused; but here it is the application that has to hear of it. */
  #refuseUnusable({ clientId }: WsCredentials): AuthenticationResult {
    const what = 'a userId that is neither a number nor a text that is not empty (null and undefined are anonymous)';
    this.errors.report('An authentication failed.', new Error(`auth.authenticate has returned ${what}.`), clientId);
    return { outcome: 'unauthenticated' };
  }

  async #resolve(authenticate: Authenticate): Promise<WsAuthenticate> {
    if (!isClassWith('authenticate', authenticate)) return authenticate as WsAuthenticate;
    const source = await this.rules.sourceOf(authenticate as Type<WsAuthenticator>);
    return async (credentials) => (await source(credentials.request)).authenticate(credentials);
  }
}

/** Whether it is anonymous, or names a user: all whose id is an empty text or NaN would be one user. */
function isUsable({ userId }: WsIdentity): boolean {
  return userId === undefined || userId === null || isUserId(userId);
}
