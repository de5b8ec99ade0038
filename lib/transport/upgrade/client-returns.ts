import { Inject, Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import { ROOM_PRESENCE, type RoomPresence } from '../../presence/room-presence.interface.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';

/** The name in the query of an upgrade by which a client presents its secret. */
export const RESUME_PARAMETER = 'resume';

/** The most characters of what a client may present. */
const LONGEST = 64;

/** Clients that come back to rooms with presence: what they present of their former connection, and how often it is good. */
@Injectable()
export class ClientReturns implements MetricSource {
  #resumed = 0;
  #refused = 0;

  constructor(@Inject(ROOM_PRESENCE) private readonly presence: RoomPresence) {}

  /** Readies a client that is about to be registered. Who presents what is not good is let in as a new member. */
  greet(session: ClientSession): void {
    if (!this.presence.isOn) return;
    const notice = this.presence.greet(session, secretOf(session.request.url));
    session.returnNotice = notice;
    if (notice.resumed === true) this.#resumed++;
    else if (notice.resumed === false) this.#refused++;
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield counter('presence_resumed', this.#resumed);
    yield counter('presence_resumes_refused', this.#refused);
  }
}

/** The query parameter `resume` of an upgrade: '' for one that is too long or empty. */
function secretOf(url: string): string | undefined {
  const query = url.indexOf('?');
  if (query < 0 || !url.includes(`${RESUME_PARAMETER}=`, query)) return undefined;
  const secret = new URLSearchParams(url.slice(query)).get(RESUME_PARAMETER);
  if (secret === null) return undefined;
  return secret.length > LONGEST ? '' : secret;
}
