import type { WsRoomEntrant, WsRoomPresenceOptions } from 'nestjs-pxl-websocket';

/** Milliseconds for which lost members of a story's rooms stay. */
export const GRACE = 900;
/** Milliseconds between two pushes of a room. */
export const INTERVAL = 40;
/** The most members of a room whose name ends with `small`. */
export const SMALL = 3;

/**
 * How a room shows its members, by the end of its name: `users`, `clients`, `small`; `limit 50`: as by default, but with that
 * limit.
 */
export function presenceOf(roomName: string): WsRoomPresenceOptions | null {
  const kind = roomName.slice(roomName.lastIndexOf(' ') + 1);
  const usual = { grace: GRACE, interval: INTERVAL };
  if (kind === 'users') return usual;
  if (kind === 'clients') return { ...usual, by: 'client' };
  if (kind === 'small') return { ...usual, limit: SMALL };
  const limit = /limit (\d+)$/.exec(roomName)?.[1];
  return limit === undefined ? null : { limit: Number(limit) };
}

/** What others see of a member: of what its url says, the name alone. */
export function profileOf({ client }: WsRoomEntrant): Readonly<Record<string, unknown>> {
  return { name: client.user?.payload.name ?? 'nobody' };
}
