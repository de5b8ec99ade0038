import { WebSocketClient } from './client.js';
import { Record } from './record.js';
import { show, watchStage } from './stage.js';
import { Strip } from './strip.js';
import { byId, note, paintNumbers } from './view.js';

const REASONS = {
  epoch: 'the room counts anew',
  trimmed: 'the room does not keep them any more',
  limit: 'they are more than a client may have at once',
};

// What this page has, and the position that belongs to it, survive a reload together.
const saved = JSON.parse(sessionStorage.getItem('live-feed') ?? 'null');
const visitor = saved?.visitor ?? Math.random().toString(36).slice(2);
let record = saved ? Record.restore(saved.record) : new Record();
const strip = new Strip(byId('strip'));
let stage = null;
/** ms by which the clock of the stage is behind ours. */
let clock = Infinity;
/** What a newcomer wants to have of what was before. */
const HISTORY = 20;
/** How many came late that no answer has announced. */
let late = -HISTORY;
/** How many were lost before the last loss that the page was told of; null: that is accounted for. */
let lostBefore = null;

const url = new URL('ws', location.href);
url.searchParams.set('visitor', visitor);
const client = new WebSocketClient({
  url,
  reconnect: { minDelay: 300, maxDelay: 1_000 },
  positions: saved?.positions,
  events: { onRecovered: told },
});

client.on('feed', 'message', ({ number, at }) => {
  const isLate = Date.now() - clock - at > (stage?.times.late ?? 1_000);
  record.come(number, isLate);
  if (lostBefore !== null) noteLoss();
  if (isLate) return void late++;
  // Nobody had to ask for them.
  if (late > 0) note(`${late} came late, without a question of this page: its worker has caught up.`, 'kept');
  late = 0;
});

let wasConnected = false;
client.onState(({ state }) => {
  const texts = { connected: 'connected', reconnecting: 'not connected: it tries again', connecting: 'connecting' };
  show('page', state === 'connected' ? 'up' : 'down', texts[state] ?? state);
  if (state === 'reconnecting' && wasConnected) note('The connection is lost.');
  wasConnected = state === 'connected';
});

/** The verdict on a return, or on what was lost on the way to the worker. */
function told({ recovered, replayed, reason }) {
  if (recovered) {
    late -= replayed;
    return note(`Back, and recovered. Replayed: ${replayed}.`, 'kept');
  }
  note(`Told: not recovered (${reason}), ${REASONS[reason]}.`, 'lost');
  lostBefore ??= record.counts.lost;
  record.tell();
}

/** The first message after a loss tells how much it was. */
function noteLoss() {
  const lost = record.counts.lost - lostBefore;
  note(lost > 0 ? `Lost here: ${lost}.` : 'Nothing is missing here all the same.', 'lost');
  lostBefore = null;
}

/** A stage that was started anew counts from 1. */
function begin(run) {
  if (record.run !== null && record.run !== run) {
    record = new Record();
    strip.clear();
  }
  record.run = run;
}

/** Between two messages, so that the record and the positions are of the same moment. */
function save() {
  sessionStorage.setItem('live-feed', JSON.stringify({ visitor, record, positions: client.positions }));
}

function paint() {
  strip.paint(record.marks);
  paintNumbers(record, client.isClientConnected());
  requestAnimationFrame(paint);
}

watchStage(visitor, (state) => {
  stage = state;
  clock = Math.min(clock, Date.now() - state.now);
  begin(state.feed.run);
  record.publish(state.feed.last);
});
byId('leave').addEventListener('click', () => location.assign(`away.html#${stage?.times.leave ?? 4_000}`));
addEventListener('pagehide', save);
setInterval(save, 500);
paint();

await client.connect();
joinFeed();

/** The first join is ours to repeat, as while Redis is away; after that the client does it. */
async function joinFeed() {
  try {
    await client.join('feed', { history: HISTORY });
  } catch {
    setTimeout(joinFeed, 500);
  }
}
