import { Inject, Injectable, ForbiddenException, UnauthorizedException } from '@nestjs/common';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import type { WsCredentials, WsIdentity } from './authenticator.interface.js';

/** What became of an upgrade's credentials. */
export type AuthenticationResult =
  | { readonly outcome: 'accepted'; readonly identity: WsIdentity }
  | { readonly outcome: 'unauthenticated' }
  | { readonly outcome: 'forbidden' }
  | { readonly outcome: 'failed'; readonly error: unknown };

const ANONYMOUS: AuthenticationResult = { outcome: 'accepted', identity: {} };

/** Asks the application who connects. */
@Injectable()
export class UpgradeAuthentication {
  constructor(@Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions) {}

  /** Never rejects. */
  async authenticate(credentials: WsCredentials): Promise<AuthenticationResult> {
    const { authenticate } = this.options.auth;
    if (!authenticate) return ANONYMOUS;
    try {
      const identity = await authenticate(credentials);
      return identity ? { outcome: 'accepted', identity } : { outcome: 'unauthenticated' };
    } catch (error) {
      if (error instanceof UnauthorizedException) return { outcome: 'unauthenticated' };
      if (error instanceof ForbiddenException) return { outcome: 'forbidden' };
      return { outcome: 'failed', error };
    }
  }
}
