import { ModuleLogger } from '../../errors/module-logger.js';
import { PxlWebSocketSetupError } from '../../errors/start-up.errors.js';
import { WsError } from '../../errors/ws.error.js';
import { isCluster } from '../../redis/link/redis-client.js';
import { bare } from '../../redis/link/redis-failures.js';
import type { RedisLink } from '../../redis/link/redis-link.js';
import type { RedisRoomStore } from './redis.room-store.js';

/** Refusals that do not pass by themselves: an ACL, or a command that the server does not have. */
const LASTING = /^NOINFO |^NOPERM |The user executing the script can't|ACL failure in script|nknown (?:Redis )?command/;

/**
 * Tries at the start whether Redis allows what the history of rooms needs, and warns where it may lose it.
 *
 * @throws PxlWebSocketSetupError in one sentence for what only another configuration of Redis can change
 */
export async function tryRoomStore(store: RedisRoomStore, link: RedisLink): Promise<void> {
  try {
    await store.tryOut();
  } catch (error) {
    const why = error instanceof WsError && error.cause instanceof Error ? error.cause.message : bare(error).message;
    if (LASTING.test(why)) throw new PxlWebSocketSetupError(sentenceOf(why));
  }
  await warnOfEviction(link);
}

function sentenceOf(why: string): string {
  return why.startsWith('NOINFO ')
    ? "Redis does not let scripts call INFO, by which rooms.history notices a failover: allow it to the user (ACL: +info), or set rooms.history.failover to 'ignore'."
    : `Redis refuses what rooms.history needs: ${why}`;
}

async function warnOfEviction(link: RedisLink): Promise<void> {
  const reports = await link
    .run((redis) =>
      Promise.all((isCluster(redis) ? redis.nodes('master') : [redis]).map((node) => node.info('memory'))),
    )
    .catch(() => []); // it is not allowed, or Redis has just gone
  const policies = reports.map((report) => /^maxmemory_policy:(\S+)/m.exec(report)?.[1] ?? 'noeviction');
  const evicting = policies.find((policy) => policy !== 'noeviction');
  if (evicting === undefined) return;
  new ModuleLogger().warn(
    `The maxmemory-policy of Redis is ${evicting}: it may evict the history of rooms, whose clients are told then. Set it to noeviction.`,
  );
}
