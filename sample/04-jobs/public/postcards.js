import { WebSocketClient } from './client.js';
import { order, orders, visitor } from './orders.js';
import { Postcard } from './postcard.js';

const STATES = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  disconnected: 'Disconnected',
};

const byId = (id) => document.getElementById(id);
const postcards = new Map();

const client = new WebSocketClient({ url: `ws?visitor=${visitor}` });
client.onState(({ state }) => {
  byId('status').dataset.state = state;
  byId('status').textContent = STATES[state];
  // What was told while there was no connection is not told again: ask where everything stands.
  if (state === 'connected') void catchUp();
});
client.onAny(hear);
client.connect();

byId('order').addEventListener('submit', (event) => {
  event.preventDefault();
  const field = byId('place');
  const name = field.value.trim();
  field.value = '';
  void place(name);
});
for (const suggestion of document.querySelectorAll('.chip')) {
  suggestion.addEventListener('click', () => place(suggestion.textContent));
}

async function place(name) {
  show('');
  try {
    cardOf(await order(name), name);
  } catch (error) {
    show(error.message);
    byId('place').value ||= name;
  }
}

function hear({ type, action, data }) {
  if (type !== 'postcard' && type !== 'queue') return;
  const postcard = postcards.get(data.id ?? data.jobId);
  if (!postcard)
    void catchUp(); // another tab has ordered it
  else if (action === 'progress') postcard.progressed(data.progress, data.picture);
  else if (action === 'jobError') postcard.failed();
  else {
    postcard.finished(data.returnValue);
    byId('news').textContent = `${postcard.place} is painted.`;
  }
}

async function catchUp() {
  try {
    for (const { id, place, progress, picture, hasFailed } of await orders()) {
      const postcard = cardOf(id, place);
      if (picture) postcard.finished(picture);
      else if (hasFailed) postcard.failed();
      else postcard.progressed(progress);
    }
  } catch (error) {
    show(error.message);
  }
}

/** The postcard of a job; a new one stands before the others. */
function cardOf(id, place) {
  let postcard = postcards.get(id);
  if (!postcard) {
    postcards.set(id, (postcard = new Postcard(place)));
    byId('postcards').prepend(postcard.element);
    byId('empty').hidden = true;
  }
  return postcard;
}

function show(problem) {
  byId('problem').textContent = problem;
  byId('problem').hidden = problem === '';
}
