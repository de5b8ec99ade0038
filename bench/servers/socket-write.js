import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { enveloped } from './envelope.js';
import { serve } from './harness.js';
import { Rooms, roomsOf } from './rooms.js';
import { welcome } from './welcome.js';

/** How many ready frames are kept: stamped texts never come again. */
const READY = 1_000;
/** Whether the frames of a turn leave in one write a client, in the library's envelope. */
const joins = process.argv[2] === 'joined';

const rooms = new Rooms();
const sockets = [];
const frames = new Map();
/** By room the frames of this turn, where they are joined. */
const turn = new Map();

/** The limit of what Node can do with one write per message and client: nothing but the writes of a ready frame. */
serve({
  async start(settings) {
    const server = createServer();
    server.on('upgrade', (request, socket) => {
      const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(key).digest('base64');
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
          `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      socket.write(readyFrame(welcome()));
      rooms.join(socket, roomsOf(sockets.length, settings));
      sockets.push(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server.address().port;
  },

  sendToRoom(name, text) {
    if (joins) joinTurn(name, readyFrame(enveloped(text)));
    else write(name, readyFrame(text));
  },

  sendToClient(index, text) {
    sockets[index].write(readyFrame(text));
  },
});

function write(roomName, bytes) {
  for (const socket of rooms.members(roomName)) socket.write(bytes);
}

function joinTurn(roomName, frame) {
  const before = turn.get(roomName);
  if (before) {
    before.push(frame);
    return;
  }
  const joined = [frame];
  turn.set(roomName, joined);
  setImmediate(() => {
    turn.delete(roomName);
    write(roomName, Buffer.concat(joined));
  });
}

function readyFrame(text) {
  let frame = frames.get(text);
  if (frame) return frame;
  if (frames.size === READY) frames.clear();
  frame = frameOf(Buffer.from(text));
  frames.set(text, frame);
  return frame;
}

function frameOf(payload) {
  const short = payload.length < 126;
  const header = Buffer.alloc(short ? 2 : 4);
  header[0] = 0x81;
  header[1] = short ? payload.length : 126;
  if (!short) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}
