import { createInterface } from 'node:readline';
import { Arrivals } from './arrivals.js';
import { avalanche } from './avalanche.js';
import { burst } from './burst.js';
import { Crowd } from './crowd.js';
import { namesOf } from '../servers/rooms.js';
import { maskedFrame } from './masked-frame.js';
import { askAtOnce } from './requests-at-once.js';
import { askEach, askAll, keepAsking } from './requests.js';
import { Tokens } from './tokens.js';

const KNOWN_TOKENS = 1_000;
/** No server accepts so many. */
const MOST_PER_MILLISECOND = 30;

/** The load process: one JSON command a line on stdin, one answer a line on stdout. */
const crowd = new Crowd();
let arrivals = null;
/** They stand for the name of a room and the request's id in a text. */
const ROOM = '<room>';
const ID = '<id>';
let signed = null;
let known = [];

const commands = {
  open: ({ target, count }) => crowd.open(target, count),
  close: () => crowd.close(),
  bytes: async () => ({ bytes: await crowd.bytesUntilQuiet() }),
  expect: ({ pacePort, bytes }) => crowd.expect(pacePort, bytes),
  /** From now on `churn` can bring tokens. */
  signTokens(signer) {
    signed = new Tokens(signer);
    known = signed.take(KNOWN_TOKENS);
  },
  /** `tokens`: one of its own for each client (`new`), or those of clients that come back (`known`); else none is brought. */
  churn({ target, milliseconds, tokens }) {
    const brought = tokens === 'new' ? signed.take(milliseconds * MOST_PER_MILLISECOND) : tokens && known;
    return timed(() => crowd.churn(target, milliseconds, brought));
  },
  requests: ({ texts, milliseconds }) => timed(() => keepAsking(crowd.clients, texts, milliseconds)),
  /** Every client asks to enter its rooms, or to leave them, all in one tick: see namesOf. */
  cross: ({ crossing, text, messages }) => {
    const frameOf = (name, id) => maskedFrame(text.replace(ROOM, name).replace(ID, id));
    const frames = crowd.clients.map((_, index) => namesOf(index, crossing).map(frameOf));
    return timed(() => askAll(crowd.clients, frames, messages));
  },
  quiet: () => crowd.quiet(),
  /** From now on messages carry stamps; so many are to come. */
  expectStamped({ pacePort, messages }) {
    arrivals ??= new Arrivals(crowd.clients, pacePort);
    arrivals.expect(messages);
  },
  delays: () => arrivals.delays(),
  /** The clients from number `from` on. */
  askAtOnce: async ({ text, messages, from }) => {
    const start = performance.now();
    const { reply } = await askAtOnce(crowd.clients.slice(from), text, messages);
    return { reply, seconds: (performance.now() - start) / 1000 };
  },
  /** All clients come back at once. */
  avalanche: (given) => avalanche(given, (client) => crowd.clients.push(client)),
  /** The clients send their request one after the other. */
  burst: (given) => burst(crowd.clients, given),
  askEach: async ({ text }) => ({ reply: await askEach(crowd.clients, text) }),
};

async function timed(work) {
  const start = performance.now();
  const count = await work();
  return { count, seconds: (performance.now() - start) / 1000 };
}

const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const { command, ...rest } = JSON.parse(line);
  const answer = (await commands[command](rest)) ?? {};
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
lines.on('close', () => process.exit());
