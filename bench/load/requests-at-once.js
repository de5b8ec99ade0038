import { maskedFrame } from './masked-frame.js';

/**
 * Every client sends the same request in one tick; resolves when each has got the answer and so many messages behind it, with
 * the text of the first answer.
 */
export function askAtOnce(clients, text, messages) {
  const frame = maskedFrame(text);
  let waiting = clients.length;
  let reply = '';
  return new Promise((resolve) => {
    clients.forEach((client, index) => {
      const before = client.receive;
      let missing = messages + 1;
      client.receive = (buffer, length) => {
        if (index === 0 && reply === '') reply = buffer.toString('latin1', 0, length);
        missing -= client.count(buffer, length);
        if (missing > 0) return;
        client.receive = before;
        if (--waiting === 0) resolve({ reply });
      };
      client.socket.write(frame);
    });
  });
}
