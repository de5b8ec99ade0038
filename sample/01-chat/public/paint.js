import { byId, memberItem, paintRoomItem, showBadge } from './view.js';

/** What the page shows of the rooms together: the list, the unread messages, and which of its two faces is in view. */
export function paintRooms(rooms, current) {
  for (const room of rooms) paintRoomItem(room, room === current);
  const unread = rooms.reduce((sum, room) => sum + room.unread, 0);
  showBadge(byId('unread-total'), unread);
  byId('rooms-button').setAttribute('aria-label', unread ? `Rooms, ${unread} unread` : 'Rooms');
  document.title = `${unread ? `(${unread}) ` : ''}${current ? `${current.name} · ` : ''}Chat`;

  byId('nowhere').hidden = current !== null;
  byId('room').hidden = current === null;
  byId('members').hidden = current === null;
}

/** What the page shows of the room in view; its messages draw themselves as they come. */
export function paintRoom({ name, people: { members, count }, typingNames }, ownName) {
  const known = members.toSorted((a, b) => a.userId.localeCompare(b.userId));
  byId('room-title').textContent = name;
  byId('member-count').textContent = count;
  byId('members-button').setAttribute('aria-label', `Members: ${count}`);
  byId('member-list').replaceChildren(...known.map((member) => memberItem(member, ownName)));
  // Of a room with very many people the server tells how many there are.
  byId('more-members').hidden = count <= known.length;
  byId('more-members').textContent = `and ${count - known.length} more`;
  byId('typing').textContent = typingSentence(typingNames);
}

function typingSentence(names) {
  if (names.length === 0) return '';
  if (names.length === 1) return `${names[0]} is typing…`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing…`;
  return 'Several people are typing…';
}
