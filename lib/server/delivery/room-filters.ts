import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import type { WsWhere } from '../../clients/where.js';
import { ErrorReporter } from '../../errors/error-reporter.js';
import { kindOf } from '../../errors/kind-of.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import type { WsFilteredMember, WsRoomFilter } from '../../options/rooms/rooms.options.js';
import { ROOM_PRESENCE, type RoomPresence } from '../../presence/room-presence.interface.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { RoomNames } from '../../rooms/room-names.js';
import { RoomRegistry } from '../../rooms/room-registry.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import { isThenable } from '../../runtime/thenable.js';

/** How many unknown names are remembered, so that each is logged once. */
const MOST_LOGGED = 100;

/** Decides for one message which members get it. */
export interface MemberFilter {
  /** Whether the member of this worker gets it as one of this room. Never throws. */
  admits(client: ClientSession, roomName: string): boolean;
}

/** The functions of `rooms.filters`. */
@Injectable()
export class RoomFilters implements MetricSource {
  readonly #logger = new ModuleLogger();
  readonly #logged = new Set<string>();
  readonly #filters: ReadonlyMap<string, WsRoomFilter>;
  readonly #names: RoomNames;
  #unknown = 0;

  constructor(
    private readonly rooms: RoomRegistry,
    private readonly errors: ErrorReporter,
    @Inject(ROOM_PRESENCE) private readonly presence: RoomPresence,
    @Inject(PXL_WS_OPTIONS) options: ResolvedOptions,
  ) {
    this.#filters = options.rooms.filters;
    this.#names = RoomNames.of(options);
  }

  has(name: string): boolean {
    return this.#filters.has(name);
  }

  /** The filter for one message; null when this worker does not know it, which is counted, and logged once for each name. */
  of([name, args]: WsWhere): MemberFilter | null {
    const filter = this.#filters.get(name);
    if (!filter) {
      this.#noteUnknown(name.slice(0, 64));
      return null;
    }
    // A copy: what the filter changes must not travel to other workers.
    const own = structuredClone(args);
    let hasFailed = false;
    const fail = (error: unknown): false => {
      // What fails for one member is likely to fail for all.
      if (!hasFailed) this.errors.report(`The filter ${name} of rooms.filters failed.`, error);
      hasFailed = true;
      return false;
    };
    return {
      admits: (client, roomName) => {
        try {
          const verdict: unknown = filter(this.#memberOf(client, roomName), own);
          return typeof verdict === 'boolean' ? verdict : fail(oddVerdict(verdict));
        } catch (error) {
          return fail(error);
        }
      },
    };
  }

  *metrics(): Iterable<WebSocketMetric> {
    if (this.#filters.size > 0 || this.#unknown > 0) yield counter('unknown_filters', this.#unknown);
  }

  #memberOf(session: ClientSession, roomName: string): WsFilteredMember {
    const { client, user } = session;
    const { username, profile } = this.rooms.detailOf(session, roomName);
    const state = this.presence.stateOf(session, roomName);
    const member = { client, roomName, userId: user?.userId ?? null, username, profile, state };
    return this.#names.areSpaced ? { ...member, ...this.#names.read(roomName) } : member;
  }

  #noteUnknown(name: string): void {
    this.#unknown++;
    if (this.#logged.size >= MOST_LOGGED || this.#logged.has(name)) return;
    this.#logged.add(name);
    this.#logger.warn(
      `A message was sent with the filter ${JSON.stringify(name)}, which rooms.filters of this worker does not have: the ` +
        'members that are here do not get it.',
    );
  }
}

/** Only true and false themselves are answers: a promise would be truthy. */
function oddVerdict(verdict: unknown): Error {
  const isPromise = isThenable(verdict);
  if (isPromise) verdict.then(undefined, () => undefined); // otherwise its rejection would be unhandled
  return new Error(`It has answered ${isPromise ? 'a promise' : kindOf(verdict)}, not true or false.`);
}
