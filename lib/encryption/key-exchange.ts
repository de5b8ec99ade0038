import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../clients/session/client-session.js';
import type { WsRequest } from '../ws-client/ws-request.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { WsError } from '../errors/ws.error.js';
import type { WsExchangedKeys, ResolvedEncryption } from '../options/encryption.options.js';
import { RefusalCounters } from '../limits/refusal-counters.js';
import { CLOSE_CODES, type CloseReason } from '../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { applicationCipher } from './application.cipher.js';
import { ClearFrames, framesOfEach, framesOfLists } from './clear-frames.js';
import { FrameCallbacks } from './frame-callbacks.js';
import { agreeOnKeys, type Agreement } from './key-agreement.js';
import { readOffer, type KeyOffer } from './key-offer.js';
import { logSubject } from '../clients/session/session-context.js';

/** A failed exchange of keys: its code and message answer the client, `close` ends the connection. */
export class KeyExchangeError extends WsError {
  constructor(
    code: 'BAD_MESSAGE' | 'FORBIDDEN' | 'INTERNAL',
    message: string,
    readonly close: CloseReason,
  ) {
    super(code, message);
  }
}

/** Agrees with clients on keys. */
@Injectable()
export class KeyExchange {
  /** The sessions whose exchange is running. */
  readonly #running = new WeakSet<ClientSession>();
  readonly #singles = new ClearFrames(framesOfEach);
  readonly #lists = new ClearFrames(framesOfLists);

  constructor(
    private readonly callbacks: FrameCallbacks,
    private readonly errors: ErrorReporter,
    private readonly counters: RefusalCounters,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Whether a client without keys is closed. */
  get isRequired(): boolean {
    return this.options.outbound.encryption?.required === true;
  }

  /** The key that an upgrade offers; null when the connection needs no exchange. */
  offerOf(request: WsRequest): KeyOffer | null {
    if (!this.options.outbound.encryption) return null;
    const offer = readOffer(request);
    return offer.publicKey !== undefined || this.isRequired ? offer : null;
  }

  /**
   * Agrees on keys. Null when nothing changes: the client offers no key, encryption is off, or the connection is
   * encrypted already.
   *
   * @param data the data of the client's `authenticate`, or the offer of its upgrade
   * @throws KeyExchangeError, after which the caller closes the client; WsError BAD_MESSAGE while another exchange runs
   */
  async agree(session: ClientSession, userId: string | undefined, data: unknown): Promise<Agreement | null> {
    const { encryption } = this.options.outbound;
    if (!encryption || session.encrypted) return null;
    if (this.#running.has(session)) throw new WsError('BAD_MESSAGE', 'Keys are being exchanged.');
    this.#running.add(session);
    try {
      const agreement = encryption.transform
        ? await this.#shakeHands(session, encryption, userId, data)
        : this.#agreeBuiltIn(session, data);
      if (agreement || !encryption.required) return agreement;
      throw new KeyExchangeError('FORBIDDEN', 'Encryption is required: offer a publicKey.', CLOSE_CODES.NOT_ENCRYPTED);
    } catch (error) {
      this.counters.count('encryption');
      throw error;
    } finally {
      this.#running.delete(session);
    }
  }

  #agreeBuiltIn({ codec }: ClientSession, data: unknown): Agreement | null {
    const { publicKey, sealed } = (typeof data === 'object' && data !== null ? data : {}) as KeyOffer;
    if (publicKey === undefined) return null;
    const agreement = agreeOnKeys(codec, publicKey, sealed === 'lists' ? this.#lists : this.#singles);
    if (agreement) return agreement;
    const allowed = 'a P-256 point: 65 bytes, uncompressed, in base64url';
    throw new KeyExchangeError('BAD_MESSAGE', `The publicKey is not ${allowed}.`, CLOSE_CODES.KEY_EXCHANGE_FAILED);
  }

  async #shakeHands(
    session: ClientSession,
    { handshake, transform, open }: ResolvedEncryption,
    userId: string | undefined,
    data: unknown,
  ): Promise<Agreement | null> {
    if (!handshake || !transform) return null;
    const limit = this.options.timeouts.hook;
    const late = (): Error => new Error(`It took longer than timeouts.hook (${limit} ms).`);
    const report = (error: unknown): void =>
      this.errors.report('encryption.handshake failed.', error, logSubject(session));
    try {
      const shaking = new Promise<WsExchangedKeys | null | false>((resolve) =>
        resolve(handshake({ client: session.client, clientId: session.clientId, userId, data })),
      );
      const keys = checkKeys(await this.runtime.within(limit, shaking, late, report));
      return keys && { ...keys, cipher: applicationCipher(session, this.callbacks, transform, open) };
    } catch (error) {
      report(error);
      throw new KeyExchangeError('INTERNAL', 'Internal error.', CLOSE_CODES.HOOK_FAILED);
    }
  }
}

function checkKeys(given: WsExchangedKeys | null | false): WsExchangedKeys | null {
  if (given === null || given === false) return null;
  const { serverPublicKey, salt } = given;
  if (typeof serverPublicKey === 'string' && typeof salt === 'string') return { serverPublicKey, salt };
  throw new Error('It answered neither { serverPublicKey, salt } nor null.');
}
