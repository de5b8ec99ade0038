import { inParallel } from './in-parallel.js';
import { maskedFrame } from './masked-frame.js';

const IN_FLIGHT = 64;

/**
 * Every client keeps as many requests in flight as there are texts, sending each text again when its reply has come.
 * The texts are of one length, and replies come in the order of their requests.
 */
export function keepAsking(clients, texts, milliseconds) {
  const ring = Buffer.concat([...texts, ...texts].map(maskedFrame));
  const frameBytes = ring.length / texts.length / 2;
  const end = performance.now() + milliseconds;
  let replies = 0;
  let asking = clients.length;
  return new Promise((resolve) => {
    for (const client of clients) {
      let slot = 0;
      let inFlight = texts.length;
      client.receive = (buffer, length) => {
        const count = client.count(buffer, length);
        if (count === 0) return;
        replies += count;
        if (performance.now() < end) {
          client.socket.write(ring.subarray(slot * frameBytes, (slot + count) * frameBytes));
          slot = (slot + count) % texts.length;
          return;
        }
        inFlight -= count;
        if (inFlight === 0 && --asking === 0) resolve(replies);
      };
      client.socket.write(ring.subarray(0, texts.length * frameBytes));
    }
  });
}

/**
 * Every client sends its frames in one write; resolves with their number when each client has got `messages` messages for
 * each of its frames.
 */
export async function askAll(clients, frames, messages) {
  await Promise.all(clients.map((client, index) => sendAll(client, frames[index], messages)));
  return frames.flat().length;
}

function sendAll(client, frames, messages) {
  const before = client.receive;
  let missing = frames.length * messages;
  return new Promise((resolve) => {
    client.receive = (buffer, length) => {
      missing -= client.count(buffer, length);
      if (missing > 0) return;
      client.receive = before;
      resolve();
    };
    client.socket.write(Buffer.concat(frames));
  });
}

/** One request of each client, some at a time. Resolves when all replies are there, with the text of one of them. */
export async function askEach(clients, text) {
  const frame = maskedFrame(text);
  let reply;
  await inParallel(IN_FLIGHT, clients.length, async (index) => {
    reply = await ask(clients[index], frame);
  });
  return reply;
}

function ask(client, frame) {
  let reply = '';
  return new Promise((resolve) => {
    client.receive = (buffer, length) => {
      reply += buffer.toString('latin1', 0, length);
      if (client.count(buffer, length) > 0) resolve(reply);
    };
    client.socket.write(frame);
  });
}
