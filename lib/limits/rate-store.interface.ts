/** The token of the {@link RateStore} that the module works with. */
export const PXL_WS_RATE_STORE = Symbol('PXL_WS_RATE_STORE');

/** How many uses are allowed in how long a time. */
export interface WsRate {
  readonly limit: number;
  /** Milliseconds. */
  readonly ttl: number;
}

/** Counts uses of routes by key: those of one worker, or of all workers that share a Redis. */
export interface RateStore {
  /** Counts one use. Returns 0 when it is within the rate, otherwise the ms until one will be; refused uses do not count. */
  use(key: string, rate: WsRate): number | Promise<number>;
}
