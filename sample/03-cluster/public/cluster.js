import { WebSocketClient } from './client.js';
import { watchHealth } from './health.js';
import { ownName } from './name.js';
import { byId, colourOf, noteElement, messageElement, paintLanes, showHere, workerName } from './view.js';

const RESTART = 1012;

const me = ownName();
const url = new URL('ws', location.href);
url.searchParams.set('name', me);

// Without a queue: what cannot be sent now is refused, and stays in its field.
const client = new WebSocketClient({ url, queue: false });
// Who is in the lobby, on all workers: a person once, with the worker that they came to last.
const people = client.presence('lobby');
/** Whom the page finds in its first list is no news. */
let isListed = false;
/** Which worker this page is connected to. */
let here = null;
let lobby = null;
let workers = 0;

people.onChange(({ joined, updated }) => {
  for (const { userId: name, profile } of isListed ? [...joined, ...updated] : []) {
    if (name !== me) log(noteElement(`${name} is on ${workerName(profile.worker)}.`));
  }
  isListed = true;
  paint();
});
client.on('lobby', 'message', ({ from, worker, text }) => log(messageElement({ from, worker, text }, from === me)));
client.on('worker', 'here', ({ worker }) => {
  here = { worker };
  document.body.dataset.colour = colourOf(worker);
  byId('worker').textContent = workerName(worker);
  byId('stop').disabled = false;
  showHere('connected', 'Connected');
  log(noteElement(`You are on ${workerName(worker)}.`));
  paint();
  enter();
});

client.onState(({ state, code, delay }) => {
  if (state === 'connected') return;
  byId('stop').disabled = true;
  const name = here && workerName(here.worker);
  const lost = name ? `${name} ${code === RESTART ? 'has stopped' : 'is gone'}.` : 'No worker answers.';
  if (state === 'reconnecting') showHere(here ? 'away' : 'connecting', `${lost} Next try`, delay);
  if (state === 'disconnected') showHere('away', 'Disconnected. Load the page again.');
});

/** Once; after that the client comes back into the lobby by itself. While Redis is away, the first time may be refused. */
function enter() {
  lobby ??= client.join('lobby').then(
    () => showProblem(''),
    ({ message }) => {
      lobby = null;
      showProblem(message);
      setTimeout(enter, 2_000);
    },
  );
}

function paint() {
  // Several tabs of one name are one person, who is shown where the newest is; "you" are where this page is.
  const known = people.members.map((member) => (member.userId === me && here ? { ...member, profile: here } : member));
  const busy = paintLanes(known, me);
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
