import { isAway } from './view.js';

/**
 * Tells a room's people while nobody looks at this page. All tabs of a person are one member, of whom the newest word
 * holds: a tab that is being looked at corrects what another one has said. Returns what tells it once more.
 */
export function followAttention(client, { name, people, end: { signal } }, ownName) {
  const tell = () => {
    // It fails without a connection, and is told once there is one again.
    client.setPresence(name, document.hidden ? { away: true } : null).catch(() => {});
  };
  const stop = people.onChange(() => {
    const me = people.members.find(({ userId }) => userId === ownName);
    if (!document.hidden && isAway(me?.state)) tell();
  });
  document.addEventListener('visibilitychange', tell, { signal });
  signal.addEventListener('abort', stop);
  if (document.hidden) tell();
  return tell;
}
