export const REDIS_URL = process.env.REDIS_URL ?? 'redis://localhost:6379';

/** The name of the queue. */
export const POSTCARDS = 'postcards';

/** What a job is added with. */
export interface Postcard {
  readonly userId: string;
  readonly place: string;
}
