import { Injectable } from '@nestjs/common';
import type { Identity } from '../../auth/identity.js';
import { TokenLife } from '../../auth/tokens/token-life.js';
import { ClientRegistry } from '../../clients/client-registry.js';
import { welcomeOf } from '../../clients/session/welcome.js';
import type { WsClient } from '../../clients/ws-client.js';
import { Encryption } from '../../encryption/encryption.js';
import type { Agreement } from '../../encryption/key-agreement.js';
import { OutboundTransforms } from '../../encryption/outbound-transforms.js';
import { Runtime } from '../../runtime/runtime.js';

/** Lets clients in: their identity, the registry, the welcome, and from there on what their frames pass. */
@Injectable()
export class ClientAdmitter {
  constructor(
    private readonly clients: ClientRegistry,
    private readonly tokenLife: TokenLife,
    private readonly encryption: Encryption,
    private readonly transforms: OutboundTransforms,
    private readonly runtime: Runtime,
  ) {}

  /** From here on the client is known to everybody. */
  welcome(client: WsClient, identity: Identity, agreement: Agreement | null): void {
    client.state = 'authenticated';
    client.setUser(identity.user);
    this.#keep(client, identity);
    this.clients.register(client);
    if (agreement) {
      this.transforms.begin(client);
      this.encryption.start(client, agreement);
      return;
    }
    const [connected = '', ...others] = client.codec.encodeWelcome(welcomeOf(client, this.runtime.now()));
    client.sendText(connected);
    this.transforms.begin(client);
    for (const text of others) client.sendText(text);
  }

  /** An anonymous client that was welcomed before has told who it is, or has brought its key. */
  identify(client: WsClient, identity: Identity, agreement: Agreement | null): void {
    const { user } = identity;
    if (user) {
      this.clients.identify(client, user);
      this.#keep(client, identity);
    }
    if (agreement) this.encryption.start(client, agreement);
    else if (user) client.sendText(client.codec.encodeIdentified(welcomeOf(client, this.runtime.now())));
  }

  #keep(client: WsClient, { metadata, token }: Identity): void {
    if (metadata) Object.assign(client.metadata, metadata);
    client.token = token ?? null;
    this.tokenLife.watch(client, token?.expiresAt);
  }
}
