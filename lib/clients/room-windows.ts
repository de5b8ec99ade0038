import { Inject, Injectable } from '@nestjs/common';
import { AT_ONCE, type FrameTerms } from './session/frame-terms.js';
import { ErrorReporter } from '../errors/error-reporter.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';

/** What a send says of how its frames wait. */
export interface SendTerms {
  /** Default: false. */
  readonly isVolatile?: boolean | undefined;
  /** See {@link FrameTerms}; it holds within one room, or among broadcasts. */
  readonly conflate?: string | undefined;
}

/** Gives the terms of a frame, which differ between clients by their endpoints only. */
export type TermsOfClient = (client: { readonly options: ResolvedOptions }) => FrameTerms;

const VOLATILE: FrameTerms = Object.freeze({ ...AT_ONCE, isVolatile: true });
const atOnce: TermsOfClient = () => AT_ONCE;
const volatileAtOnce: TermsOfClient = () => VOLATILE;

/** How long what is sent to rooms and broadcast may wait for more (`delivery`). */
@Injectable()
export class RoomWindows {
  /** Whether nothing waits longer than its turn, on any endpoint. */
  readonly areNone: boolean;

  constructor(
    private readonly errors: ErrorReporter,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.areNone = allOptions(options).every(({ delivery }) => !delivery.windowOf && delivery.window === 0);
  }

  /** The terms of what is sent to a room, by its key. */
  ofRoom(key: string, terms: SendTerms): TermsOfClient {
    return this.#terms(terms, `room ${key}`, (options) => this.#windowOf(key, options));
  }

  /** The terms of a broadcast. */
  ofBroadcast(terms: SendTerms): TermsOfClient {
    return this.#terms(terms, 'broadcast', ({ delivery }) => delivery.window);
  }

  /** The terms of what is sent to single clients: it does not wait. */
  ofClients(terms: SendTerms): TermsOfClient {
    return this.#terms(terms, 'client', () => 0);
  }

  /** The terms of what is sent to users: it does not wait. */
  ofUsers(terms: SendTerms): TermsOfClient {
    return this.#terms(terms, 'user', () => 0);
  }

  /** @param scope what the key of `conflate` holds within */
  #terms(
    { isVolatile = false, conflate }: SendTerms,
    scope: string,
    windowIn: (options: ResolvedOptions) => number,
  ): TermsOfClient {
    if (conflate === undefined && this.areNone) return isVolatile ? volatileAtOnce : atOnce;
    // A key and the name of a room may hold anything: with the length before it none ends like another.
    const key = conflate === undefined ? undefined : `${conflate.length} ${conflate} ${scope}`;
    let known: ResolvedOptions | undefined;
    let terms = AT_ONCE;
    return ({ options }) => {
      if (options !== known) {
        known = options;
        terms = { isVolatile, window: windowIn(options), maxWindow: options.delivery.maxWindow, conflate: key };
      }
      return terms;
    };
  }

  /** A function of the application that fails must not cost the message. */
  #windowOf(key: string, { delivery }: ResolvedOptions): number {
    try {
      return delivery.windowOf ? delivery.windowOf(key) : delivery.window;
    } catch (error) {
      this.errors.report('delivery.window failed.', error);
      return 0;
    }
  }
}
