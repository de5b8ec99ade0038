import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import type { CloseReason } from '../../protocol/close-codes.js';
import type { Codec } from '../../protocol/codec.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime } from '../../runtime/runtime.js';
import type { TraceSpan } from '../../tracing/trace-span.js';
import { acceptAndClose, closeOf, readsCloseReasons } from './close-refusal.js';
import { refuseUpgrade, type HttpRefusal } from './http-refusal.js';
import { endRefused } from './upgrade-span.js';

export const REFUSALS = {
  unauthenticated: { status: 401, body: 'Unauthorized.' },
  forbidden: { status: 403, body: 'Forbidden.' },
  origin: { status: 403, body: 'Pages of this origin may not connect.' },
  unfit: { status: 400, body: 'The parameters of the connection were refused.' },
  notFound: { status: 404, body: 'Nothing is here.' },
  tooMany: { status: 429, body: 'Too many connections.', after: 5_000 },
  failed: { status: 500, body: 'Internal server error.' },
  late: { status: 503, body: 'The upgrade took too long.', after: 1_000 },
  /** Of the server, not of the client: proxies ask another worker for a 503, and pass a 429 on. */
  busy: { status: 503, body: 'Too many clients connect at this moment.', after: 1_000 },
  closed: { status: 503, body: 'The server takes no connections now.', after: 1_000 },
  protocol: { status: 400, body: 'Offer pxl.v1 or event.v1 beside bearer.<token>.' },
} as const satisfies Record<string, HttpRefusal>;

/** What of an upgrade its refusal needs. */
export interface RefusableUpgrade {
  readonly request: IncomingMessage;
  readonly stream: Duplex;
  /** Undefined when the handshake is malformed. */
  readonly codec: Codec | undefined;
  /** Ends with the refusal; null: none is made. */
  readonly span: TraceSpan | null;
}

/** Refuses upgrades: by a close code where the client reads it, else by an HTTP status. */
@Injectable()
export class UpgradeRefusals {
  /** How many sockets were refused by a close code and are not gone yet. */
  #closing = 0;

  constructor(
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /**
   * Clients that never answer their close frames cannot pile up: beyond `limits.pendingUpgrades` of them the next ones get
   * a status.
   *
   * @param always the close code of clients that have not said that they read one
   */
  refuse(upgrade: RefusableUpgrade, refusal: HttpRefusal, always?: CloseReason): void {
    const { request, stream, codec, span } = upgrade;
    const close = codec && readsCloseReasons(request) ? (closeOf(refusal) ?? always) : always;
    const { pendingUpgrades } = this.options.limits;
    if (!close || stream.closed || (pendingUpgrades !== false && this.#closing >= pendingUpgrades)) {
      this.refuseByStatus(upgrade, refusal);
      return;
    }
    if (span) endRefused(span, refusal, close);
    this.#closing++;
    stream.once('close', () => this.#closing--);
    const isAsked = request.headers['sec-websocket-protocol'] !== undefined;
    acceptAndClose(request, stream, isAsked ? codec?.name : undefined, close, this.runtime);
  }

  /** The cheapest refusal, for a server that has too much to do. */
  refuseByStatus({ stream, span }: Pick<RefusableUpgrade, 'stream' | 'span'>, refusal: HttpRefusal): void {
    if (span) endRefused(span, refusal);
    refuseUpgrade(stream, refusal, this.runtime);
  }
}
