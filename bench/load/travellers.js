import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { percentilesOf } from '../lib/percentiles.js';
import { inParallel } from './in-parallel.js';
import { Traveller } from './traveller.js';

const IN_FLIGHT = 20;
/** Milliseconds without an arrival after which nothing comes any more, when all are connected; and how long that may take. */
const QUIET = 2_000;
const PATIENCE = 20_000;

/** The process of clients whose networks are cut: one JSON command a line on stdin, one answer a line on stdout. */
const travellers = [];
const cuts = [];

const commands = {
  /** So many clients, in turn at each of the ports. */
  async open({ library, count, ports }) {
    await inParallel(IN_FLIGHT, count, async (index) => {
      travellers.push(await Traveller.to(ports[index % ports.length], library));
    });
  },

  /** From now on each client is cut every `period` ms for `away` ms; the first cuts spread over a period. */
  begin({ period, away, duration }) {
    for (const [index, traveller] of travellers.entries()) {
      cuts.push(travel(traveller, { first: (index / travellers.length) * period, period, away, duration }));
    }
  },

  /** What has come of it, when nothing comes any more. `messages`: what was sent, and when. */
  async results({ messages }) {
    await Promise.all(cuts);
    const deadline = Date.now() + PATIENCE;
    while (Date.now() < deadline && !travellers.every(({ isBack }) => isBack)) await setTimeout(100);
    let before;
    do {
      before = arrivalCount();
      await setTimeout(QUIET);
    } while (before !== arrivalCount());
    return resultsOf(messages);
  },
};

async function travel(traveller, { first, period, away, duration }) {
  const begin = Date.now();
  for (let at = first; at < duration; at += period) {
    await setTimeout(Math.max(0, begin + at - Date.now()));
    traveller.cut();
    await setTimeout(away);
    traveller.mend();
  }
}

function arrivalCount() {
  return travellers.reduce((sum, { arrivals, duplicates }) => sum + arrivals.size + duplicates, 0);
}

function resultsOf(messages) {
  const sum = (of) => travellers.reduce((total, traveller) => total + of(traveller), 0);
  const [sinceNetwork, sinceConnection, live] = [[], [], []];
  for (const { arrivals, absences, connections } of travellers) {
    for (const [number, at] of arrivals) {
      const sentAt = messages[number];
      // The absence because of which it came later than it was sent, if there is one.
      const absence = absences.findLast(({ from, until }) => from <= at && until >= sentAt);
      if (!absence || absence.until > at) live.push(at - sentAt);
      else {
        sinceNetwork.push(at - absence.until);
        const connected = connections.findLast((time) => time <= at && time >= absence.from);
        sinceConnection.push(at - Math.max(connected ?? absence.until, sentAt));
      }
    }
  }
  const missing = (traveller) =>
    messages.map((_, number) => number).filter((number) => !traveller.arrivals.has(number));
  const isTold = ({ told }, number) => told.some((at) => at >= messages[number]);
  return {
    expected: travellers.length * messages.length,
    delivered: sum(({ arrivals }) => arrivals.size),
    duplicates: sum(({ duplicates }) => duplicates),
    disorder: sum(({ disorder }) => disorder),
    told: sum(({ told }) => told.length),
    silent: sum((traveller) => missing(traveller).filter((number) => !isTold(traveller, number)).length),
    live: percentilesOf(live),
    sinceNetwork: percentilesOf(sinceNetwork),
    sinceConnection: percentilesOf(sinceConnection),
  };
}

const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const { command, ...rest } = JSON.parse(line);
  const answer = (await commands[command](rest)) ?? {};
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
lines.on('close', () => process.exit());
