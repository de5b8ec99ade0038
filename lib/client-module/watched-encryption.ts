import type { ClientEncryption, EncryptionSession } from '../client/client-encryption.interface.js';

import { readably } from './application-client.js';

/** Wraps an encryption and knows when everything is encrypted: a message that is being encrypted has not been sent yet. */
export class WatchedEncryption implements ClientEncryption {
  readonly #running = new Set<Promise<string>>();

  get over(): ClientEncryption['over'] {
    return this.encryption.over;
  }

  constructor(private readonly encryption: ClientEncryption) {}

  async offer(): Promise<EncryptionSession> {
    const session = await readably(() => this.encryption.offer())();
    return {
      publicKey: session.publicKey,
      sealed: session.sealed,
      agree: (answer) => session.agree(answer),
      encrypt: (text) => this.#watch(session.encrypt(text)),
      decrypt: (data) => session.decrypt(data),
    };
  }

  /** Whether anything is being encrypted. */
  get isBusy(): boolean {
    return this.#running.size > 0;
  }

  /** Resolves when everything that is being encrypted now has succeeded or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #watch(encrypting: Promise<string>): Promise<string> {
    this.#running.add(encrypting);
    try {
      return await encrypting;
    } finally {
      this.#running.delete(encrypting);
    }
  }
}
