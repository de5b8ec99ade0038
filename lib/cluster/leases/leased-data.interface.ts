/**
 * How a worker came to a new incarnation:
 * - `started`: it is its first.
 * - `kept`: it has written all of its clients anew, and held its lease meanwhile.
 * - `gone`: its lease had been taken; others have told that it is dead, and have cleared away what it had in Redis.
 * - `lost`: Redis has lost its data, or gone back to older data; nobody has told anything.
 */
export type RenewalCause = 'started' | 'kept' | 'gone' | 'lost';

/** What workers keep in Redis beside the records of their clients. It lives as long as the worker's lease. */
export interface LeasedData {
  /** This worker has entered the registry with a new incarnation. Must not throw. */
  renewed(incarnation: number, cause: RenewalCause): void;
  /** The lease was renewed: the moment to do again what has failed, and to look after a part of the data. */
  beat(): void;
  /** Takes out what an incarnation of a dead worker has left. When it rejects, it is called again, by some worker. */
  remove(workerId: string, incarnation: number): Promise<void>;
  /** This worker leaves: takes out what it keeps. */
  stop(): Promise<void>;
}
