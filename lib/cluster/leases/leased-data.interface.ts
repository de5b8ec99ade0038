/**
 * Why a worker has a new incarnation:
 * - `started`: it is the first one.
 * - `kept`: the worker wrote all of its clients anew, and held its lease meanwhile.
 * - `gone`: its lease was taken; the others have declared it dead and removed its data from Redis.
 * - `lost`: Redis lost its data or went back to older data; nothing was announced.
 */
export type RenewalCause = 'started' | 'kept' | 'gone' | 'lost';

/** Data that workers keep in Redis in addition to the records of their clients. It lives as long as the worker's lease. */
export interface LeasedData {
  /** This worker has entered the registry as a new incarnation. Must not throw. */
  renewed(incarnation: number, cause: RenewalCause): void;
  /** The lease was renewed: the moment to try again what failed. */
  beat(): void;
  /**
   * Removes the data of a dead worker's incarnation. After a rejection it is called again, perhaps on another worker.
   *
   * @param at until when the worker has lived, as far as is known, in ms since 1970 by Redis' clock
   */
  remove(workerId: string, incarnation: number, at: number): Promise<void>;
  /** This worker leaves: removes its data. True: some of it stays, for another worker to {@link remove}. */
  stop(): Promise<boolean>;
}
