import { setTimeout } from 'node:timers/promises';
import { maskedFrame } from './masked-frame.js';

/** Milliseconds between two looks at the clock. */
const STEP = 5;

/**
 * Every client sends the same request, one after the other over so many ms; resolves when each has its answer and
 * nothing has come for `silence` ms, with what each client has got.
 *
 * @returns of the messages beside the answer, and of the bytes of all: the mean and the most of a client
 */
export async function burst(clients, { text, milliseconds, silence }) {
  const frame = maskedFrame(text);
  const got = clients.map(() => ({ messages: -1, bytes: 0 }));
  const receivers = clients.map(({ receive }) => receive);
  let last = performance.now();
  clients.forEach((client, index) => {
    client.receive = (buffer, length) => {
      got[index].messages += client.count(buffer, length);
      got[index].bytes += length;
      last = performance.now();
    };
  });
  const begin = performance.now();
  for (let sent = 0; sent < clients.length; await setTimeout(STEP)) {
    const due = Math.min(clients.length, Math.ceil(((performance.now() - begin) / milliseconds) * clients.length));
    while (sent < due) clients[sent++].socket.write(frame);
  }
  const took = performance.now() - begin;
  const isSilent = () => performance.now() - last > silence && got.every(({ messages }) => messages >= 0);
  while (!isSilent()) await setTimeout(STEP);
  clients.forEach((client, index) => (client.receive = receivers[index]));
  return { took, messages: meanAndMost(got, 'messages'), bytes: meanAndMost(got, 'bytes') };
}

function meanAndMost(got, field) {
  const numbers = got.map((one) => one[field]);
  return { mean: numbers.reduce((sum, number) => sum + number, 0) / numbers.length, most: Math.max(...numbers) };
}
