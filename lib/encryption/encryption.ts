import { Inject, Injectable } from '@nestjs/common';
import { closeForGood } from '../clients/session/close-for-good.js';
import type { ClientSession } from '../clients/session/client-session.js';
import { WsError } from '../errors/ws.error.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { applicationCipher } from './application.cipher.js';
import type { Cipher } from './cipher.interface.js';
import { FrameCallbacks } from './frame-callbacks.js';
import type { Agreement } from './key-agreement.js';
import { SecureChannel } from './secure-channel.js';

/** Switches the encryption of connections on, for the rest of their lives. */
@Injectable()
export class Encryption {
  constructor(
    private readonly callbacks: FrameCallbacks,
    private readonly counters: RefusalCounters,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Welcomes a client with the keys, in the last frame that is sent in clear. If the application has encrypted the
   * connection while the exchange ran, its cipher stays, and the welcome is encrypted and has no keys.
   */
  start(session: ClientSession, { cipher, serverPublicKey, salt }: Agreement): void {
    const keys = session.encrypted ? {} : { serverPublicKey, salt };
    const [connected = '', ...others] = session.codec.encodeWelcome({ ...session.welcome, ...keys });
    if (session.encrypted) session.sendText(connected);
    else this.#switchOn(session, cipher, connected);
    for (const text of others) session.sendText(text);
  }

  /**
   * Encrypts a connection whose keys the application has agreed on by itself. Does nothing when it is encrypted
   * already.
   *
   * @throws WsError CONFLICT without an `encryption.transform`: the built-in cipher has keys from the built-in exchange
   * only
   */
  enable(session: ClientSession): void {
    if (session.encrypted) return;
    const { transform, open } = this.options.outbound.encryption ?? {};
    if (!transform)
      throw new WsError('CONFLICT', 'The client has no keys: it offers a publicKey when it authenticates.');
    this.#switchOn(session, applicationCipher(session, this.callbacks, transform, open));
  }

  #switchOn(session: ClientSession, cipher: Cipher, lastInClear?: string): void {
    const { batchLimit } = this.options.outbound;
    const onBreach = (): void => {
      this.counters.count('encryption');
      closeForGood(session, CLOSE_CODES.BAD_FRAME, this.runtime);
    };
    const channel = new SecureChannel(session, cipher, batchLimit, onBreach);
    session.encrypt(channel, batchLimit, cipher, lastInClear);
  }
}
