import type { PresentMembers, Unsubscribe, WebSocketClient, WebSocketContract } from '../client/index.js';

/** Who is in a room, before the server has told it, and where there is no room. */
export const NOBODY: PresentMembers = { members: [], count: 0, partial: false };

/**
 * Tells a component who is in a room, and with each change again. Before the component joins it, so that the join asks for the list.
 *
 * @returns a function that ends this
 */
export function watchRoom<C extends WebSocketContract>(
  client: WebSocketClient<C>,
  name: string,
  tell: (present: PresentMembers) => void,
): Unsubscribe {
  const presence = client.presence(name);
  const show = ({ members, count, partial }: PresentMembers): void => tell({ members, count, partial });
  if (presence.count) show(presence);
  return presence.onChange(show);
}
