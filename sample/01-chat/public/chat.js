import { followAttention } from './attention.js';
import { WebSocketClient } from './client.js';
import { startComposer } from './composer.js';
import { closeDrawers } from './drawers.js';
import { showProblem, startForms, suggestAllBut } from './forms.js';
import { paintRoom, paintRooms } from './paint.js';
import { Room } from './room.js';
import { showStatus } from './status.js';
import { byId, paintAvatar } from './view.js';

const rooms = new Map();
let current = null;
let client;
let composer;
let ownName;

function enter(name) {
  ownName = name;
  const url = new URL('/ws', location.href);
  url.searchParams.set('name', name);
  // Without a queue: what cannot be sent now is shown as not sent, and the writer may try again.
  client = new WebSocketClient({ url, queue: false, events: { onReconnected, onRoomRefused } });
  client.on('chat', 'message', receive);
  client.on('whisper', 'typing', (typing, { room, from }) => {
    // From another tab of one's own too.
    if (from.userId !== ownName) rooms.get(room)?.typing(from.userId, typing === true);
  });
  showStatus(client);
  composer = startComposer(client, name);
  client.connect();

  byId('me-name').textContent = name;
  paintAvatar(byId('me-avatar'), name);
  byId('welcome').hidden = true;
  byId('chat').hidden = false;
  paint();
  byId('nowhere-title').focus();
}

async function join(name) {
  showProblem('');
  if (!rooms.has(name)) {
    // Known before the answer comes, so that a message sent in between is not lost.
    const people = client.presence(name);
    const room = new Room(name, people, { onOpen: () => show(room), changed: paint });
    rooms.set(name, room);
    try {
      // The server's word counts: the room is shown once its answer is here, with the list of its people.
      await client.join(name);
      room.joined = true;
      room.tellAttention = followAttention(client, room, ownName);
    } catch (error) {
      rooms.delete(name);
      room.end.abort();
      showProblem(`You could not join ${name}. ${error.message}`);
      return;
    }
    byId('logs').append(room.log);
    byId('room-list').append(room.item);
  }
  if (rooms.get(name).joined) show(rooms.get(name));
}

/** The client has joined its rooms again. */
function onReconnected() {
  for (const room of rooms.values()) {
    if (!room.joined) continue;
    room.note('You are back. What was said meanwhile is not shown.');
    room.tellAttention();
  }
}

function onRoomRefused({ roomName, error }) {
  rooms.get(roomName)?.note(`You could not join again. ${error.message}`);
}

function leave(room) {
  rooms.delete(room.name);
  room.end.abort();
  room.log.remove();
  room.item.remove();
  show([...rooms.values()].findLast(({ joined }) => joined) ?? null);
  // Where this fails the connection is gone, and the room with it.
  client.leave(room.name).catch(() => {});
}

function receive(message) {
  const room = rooms.get(message.roomName);
  const mine = message.from === ownName; // said in another tab
  if (!room?.say({ ...message, mine })) return;
  if (!mine && (room !== current || document.hidden)) room.unread += 1;
  paint();
}

function show(room) {
  if (current) current.log.hidden = true;
  current = room;
  composer.open(room);
  room?.show();
  paint();
  closeDrawers();
  // A focused field would open the keyboard of a phone, which the visitor has not asked for.
  const target = !room ? 'nowhere-title' : matchMedia('(pointer: fine)').matches ? 'text' : 'room-title';
  byId(target).focus();
}

function paint() {
  const joined = [...rooms.values()].filter((room) => room.joined);
  paintRooms(joined, current);
  suggestAllBut(joined.map(({ name }) => name));
  if (current) paintRoom(current, ownName);
}

startForms({ enter, join });
byId('leave').addEventListener('click', () => leave(current));
document.addEventListener('visibilitychange', () => {
  if (document.hidden || !current) return;
  current.unread = 0;
  paint();
});
