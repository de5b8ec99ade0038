import { WebSocketClient } from './client.js';
import { watchHealth } from './health.js';
import { ownName } from './name.js';
import { byId, noteElement, messageElement, paintLanes, showHere, workerName } from './view.js';

const RESTART = 1012;

const me = ownName();
const url = new URL('ws', location.href);
url.searchParams.set('name', me);

// Without a queue: what cannot be sent now is refused, and stays in its field.
const client = new WebSocketClient({ url, queue: false });
const sessions = new Map();
let here = null;
let workers = 0;

client.on('lobby', 'came', (session) => {
  sessions.set(session.clientId, session);
  if (session.name !== me) log(noteElement(`${session.name} is on ${workerName(session)}.`));
  paint();
});
client.on('lobby', 'left', ({ clientId }) => {
  sessions.delete(clientId);
  paint();
});
client.on('lobby', 'message', ({ from, text }) => log(messageElement(from, text, from.name === me)));

client.onState(({ state, code, delay }) => {
  if (state === 'connected') return void arrive();
  byId('stop').disabled = true;
  const lost = here ? `${workerName(here)} ${code === RESTART ? 'has stopped' : 'is gone'}.` : 'No worker answers.';
  if (state === 'reconnecting') showHere(here ? 'away' : 'connecting', `${lost} Next try`, delay);
  if (state === 'disconnected') showHere('away', 'Disconnected. Load the page again.');
});

/** Whatever worker this is now: it tells who is on all of them. */
async function arrive() {
  try {
    const people = await client.request('lobby', 'people');
    sessions.clear();
    for (const session of people) sessions.set(session.clientId, session);
    here = sessions.get(client.clientId);
    document.body.dataset.colour = workerName(here).split(' ')[0];
    byId('worker').textContent = workerName(here);
    byId('stop').disabled = false;
    showHere('connected', 'Connected');
    log(noteElement(`You are on ${workerName(here)}.`));
    paint();
  } catch {
    // The connection is lost again; the next one asks anew.
  }
}

/** Each visitor once, where they came last: of a worker that died it takes some seconds until its clients are gone. */
function visitors() {
  const newest = new Map();
  for (const session of sessions.values()) {
    if (!(newest.get(session.name)?.since > session.since)) newest.set(session.name, session);
  }
  return [...newest.values()];
}

function paint() {
  const busy = paintLanes(visitors(), me);
  const idle = workers - busy;
  byId('idle').hidden = !here || idle <= 0;
  byId('idle').textContent = `${idle} more ${idle === 1 ? 'worker' : 'workers'}, and nobody there. Open another tab.`;
}

function log(element) {
  const list = byId('log');
  stayAtEnd(() => list.append(element));
  while (list.children.length > 200) list.firstChild.remove();
}

function showProblem(text) {
  stayAtEnd(() => {
    byId('problem').textContent = text;
    byId('problem').hidden = text === '';
  });
}

/** Who reads the newest messages still does after the change; who has scrolled up stays there. */
function stayAtEnd(change) {
  const list = byId('log');
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  change();
  if (isAtEnd) list.scrollTop = list.scrollHeight;
}

async function ask(type, action, data) {
  try {
    await client.request(type, action, data);
    showProblem('');
    return true;
  } catch (error) {
    showProblem(error.message);
    return false;
  }
}

byId('composer').addEventListener('submit', async (event) => {
  event.preventDefault();
  const field = byId('text');
  if (await ask('lobby', 'say', { text: field.value })) field.value = '';
});
byId('stop').addEventListener('click', () => ask('worker', 'stop'));

byId('me').textContent = me;
watchHealth((health) => {
  workers = health?.cluster.workers ?? 0;
  paint();
});
client.connect();
