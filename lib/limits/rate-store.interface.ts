/** The token of the {@link RateStore} that the module works with. */
export const PXL_WS_RATE_STORE = Symbol('PXL_WS_RATE_STORE');

/** So many uses in so long a time. */
export interface WsRate {
  readonly limit: number;
  /** Milliseconds. */
  readonly ttl: number;
}

/** Counts the uses of routes by users, each key for itself: those of one worker, or of all that share a Redis. */
export interface RateStore {
  /** Counts one use: 0 when it is within the rate, else the ms until the next one will be; refused uses do not count. */
  use(key: string, rate: WsRate): number | Promise<number>;
}
