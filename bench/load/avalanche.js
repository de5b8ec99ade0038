import { setImmediate } from 'node:timers/promises';
import { Client } from './client.js';
import { maskedFrame } from './masked-frame.js';

/** Connections that are begun and not upgraded at most: more could not wait to be accepted, see servers/listening.js. */
const IN_FLIGHT = 3_000;
/** Connections that are begun before what has come is read. */
const AT_ONCE = 100;

/**
 * So many clients come back at once: each connects, and sends its requests to join when it is greeted.
 *
 * @param joins lists of requests; the clients take one each, in turn. Each request is answered by one message
 * @param users whether each client is a user of its own
 * @param found gets each client
 * @returns ms from the first connection until the last client has all of its answers, and those of the clients in between
 */
export async function avalanche({ target, count, joins, users }, found) {
  const frames = joins.map((texts) => ({ bytes: Buffer.concat(texts.map(maskedFrame)), answers: texts.length }));
  const waits = [];
  const begin = performance.now();
  let greeted = 0;
  let allAreIn;
  const done = new Promise((resolve) => (allAreIn = resolve));

  function comeBack(index) {
    const { bytes, answers } = frames[index % frames.length];
    let missing = answers;
    const client = new Client(users ? asUser(target, index) : target, () => {
      greeted++;
      client.socket.write(bytes);
    });
    client.receive = (buffer, length) => {
      missing -= client.count(buffer, length);
      if (missing > 0) return;
      client.receive = () => undefined;
      if (waits.push(performance.now() - begin) === count) allAreIn();
    };
    found(client);
  }

  for (let index = 0; index < count; index++) {
    if (index % AT_ONCE === 0) await setImmediate();
    while (index - greeted >= IN_FLIGHT) await setImmediate();
    comeBack(index);
  }
  await done;
  const at = (part) => waits[Math.ceil(part * count) - 1];
  return { milliseconds: at(1), p50: at(0.5), p99: at(0.99) };
}

/** Users are told that they are, behind the welcome. */
function asUser({ path, greeting, ...target }, index) {
  return { ...target, path: `${path}?user=${index}`, greeting: { ...greeting, messages: greeting.messages + 1 } };
}
