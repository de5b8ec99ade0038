import { startComposer } from './composer.js';
import { Connection } from './connection.js';
import { closeDrawers } from './drawers.js';
import { showProblem, startForms, suggestAllBut } from './forms.js';
import { paintRoom, paintRooms } from './paint.js';
import { OFFLINE } from './requests.js';
import { Room } from './room.js';
import { showStatus } from './status.js';
import { byId, paintAvatar } from './view.js';

const rooms = new Map();
let current = null;
let connection;
let composer;
let ownName;

function enter(name) {
  ownName = name;
  const url = new URL('/ws', location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  url.searchParams.set('name', name);
  connection = new Connection(url.href);
  connection.addEventListener('open', () => {
    for (const room of rooms.values()) if (room.joined) void rejoin(room);
  });
  connection.addEventListener('push', ({ detail }) => receive(detail));
  showStatus(connection);
  composer = startComposer(connection, name);
  connection.open();

  byId('me-name').textContent = name;
  paintAvatar(byId('me-avatar'), name);
  byId('welcome').hidden = true;
  byId('chat').hidden = false;
  paint();
  byId('nowhere-title').focus();
}

/** The server's word counts: the room is shown once its answer and its list of members are here. */
async function enterRoom(room) {
  await connection.request('system', 'joinRoom', { roomName: room.name });
  room.setMembers(await connection.request('chat', 'members', { roomName: room.name }));
  room.joined = true;
}

async function join(name) {
  showProblem('');
  if (!rooms.has(name)) {
    // Known before the answer comes, so that a message sent in between is not lost.
    const room = new Room(name, { onOpen: () => show(room), changed: paint });
    rooms.set(name, room);
    try {
      await enterRoom(room);
    } catch (error) {
      rooms.delete(name);
      showProblem(`You could not join ${name}. ${error.message}`);
      return;
    }
    byId('logs').append(room.log);
    byId('room-list').append(room.item);
  }
  if (rooms.get(name).joined) show(rooms.get(name));
}

/** After a reconnect the server knows nothing of this page: it joins again, and its members are read anew. */
async function rejoin(room) {
  try {
    await enterRoom(room);
    room.note('You are back. What was said meanwhile is not shown.');
  } catch (error) {
    if (error.code !== OFFLINE) room.note(`You could not join again. ${error.message}`);
  }
}

function leave(room) {
  rooms.delete(room.name);
  room.log.remove();
  room.item.remove();
  show([...rooms.values()].findLast(({ joined }) => joined) ?? null);
  connection.notify('system', 'leaveRoom', { roomName: room.name });
}

function receive({ type, action, data }) {
  const room = rooms.get(data?.roomName);
  if (!room) return;
  if (type === 'room' && action === 'memberJoined') room.memberJoined(data.member);
  if (type === 'room' && action === 'memberLeft') room.memberLeft(data.member);
  if (type === 'chat' && action === 'typing') room.typing(data.from, data.typing);
  if (type === 'chat' && action === 'message' && room.say(data)) {
    if (room !== current || document.hidden) room.unread += 1;
    paint();
  }
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
