/** The room of the feed. */
export const FEED = 'feed';

/**
 * What Redis keeps of it: the newest messages, 15 s of the feed; all of them go a minute after the last one. The test, which is in a
 * hurry, has it keep more: a page on a busy machine needs its second to come back.
 */
export const HISTORY = { size: Number(process.env.KEPT) || 60, ttl: 60_000 };

export const PREFIX = 'sample-06';
