/** The token of the {@link ClusterClock}. */
export const CLUSTER_CLOCK = Symbol('PXL_WS_CLUSTER_CLOCK');

/** A clock that all workers share, as far as they can: that of Redis, else this process' own. */
export interface ClusterClock {
  /** Whole ms since 1970. */
  now(): number;
}
