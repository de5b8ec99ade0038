import { Injectable } from '@nestjs/common';
import type { Identity } from '../../auth/identity.js';
import { TokenLife } from '../../auth/tokens/token-life.js';
import type { ClientEnd } from '../../clients/client-listener.interface.js';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { Encryption } from '../../encryption/encryption.js';
import type { Agreement } from '../../encryption/key-agreement.js';
import { OutboundTransforms } from '../../encryption/outbound-transforms.js';
import { ClientReturns } from './client-returns.js';

/** Lets clients in (identity, registry, welcome, and the steps that their frames pass from then on), and out again. */
@Injectable()
export class ClientAdmitter {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly tokenLife: TokenLife,
    private readonly encryption: Encryption,
    private readonly transforms: OutboundTransforms,
    private readonly returns: ClientReturns,
  ) {}

  /** Registers the client and writes its welcome, or begins the encryption that welcomes it. */
  welcome(session: ClientSession, identity: Identity, agreement: Agreement | null): void {
    session.state = 'authenticated';
    session.user = identity.user;
    this.#keep(session, identity);
    this.returns.greet(session);
    this.clients.register(session);
    if (agreement) {
      this.transforms.begin(session);
      this.encryption.start(session, agreement);
      return;
    }
    const [connected = '', ...others] = session.codec.encodeWelcome(session.welcome);
    session.sendText(connected);
    this.transforms.begin(session);
    for (const text of others) session.sendText(text);
  }

  /** An anonymous client that was welcomed before has told who it is, or has brought its key. */
  identify(session: ClientSession, identity: Identity, agreement: Agreement | null): void {
    const { user } = identity;
    if (user) {
      this.clients.identify(session, user);
      this.#keep(session, identity);
    }
    if (agreement) this.encryption.start(session, agreement);
    else if (user) session.sendText(session.codec.encodeIdentified(session.welcome));
  }

  /** The client's connection has ended. */
  dismiss(session: ClientSession, end: ClientEnd): void {
    this.tokenLife.forget(session);
    this.clients.unregister(session, end);
  }

  #keep(session: ClientSession, { metadata, token }: Identity): void {
    if (metadata) Object.assign(session.metadata, metadata);
    session.token = token ?? null;
    this.tokenLife.watch(session, token?.expiresAt);
  }
}
