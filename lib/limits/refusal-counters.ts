import { Injectable } from '@nestjs/common';

/**
 * The limits that refuse something, and two options that do: `encryption` (exchanges of keys, frames of encrypted clients)
 * and `outboundTransformer` (frames for which it failed).
 */
export type WsLimitName =
  | 'connections'
  | 'connectionsPerIp'
  | 'connectionsPerUser'
  | 'acceptsPerSecond'
  | 'pendingUpgrades'
  | 'upgradeTimeout'
  | 'messagesPerSecond'
  | 'maxPayload'
  | 'maxPushBytes'
  | 'fragments'
  | 'roomsPerClient'
  | 'roomName'
  | 'metadataBytes'
  | 'streamsPerClient'
  | 'subscriberQueue'
  | 'routes'
  | 'encryption'
  | 'outboundTransformer'
  | 'origins';

/** How often each limit has refused something since the start of this process. */
@Injectable()
export class RefusalCounters {
  readonly #counts = new Map<WsLimitName, number>();

  count(limit: WsLimitName): void {
    this.#counts.set(limit, (this.#counts.get(limit) ?? 0) + 1);
  }

  /** The counts of those that have refused anything. */
  snapshot(): Partial<Record<WsLimitName, number>> {
    return Object.fromEntries(this.#counts);
  }
}
