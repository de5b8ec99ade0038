/** The room of the feed. */
export const FEED = 'feed';

/** What Redis keeps of it: the newest messages, 15 s of the feed; all of them go a minute after the last one. */
export const HISTORY = { size: 60, ttl: 60_000 };

export const PREFIX = 'sample-06';
