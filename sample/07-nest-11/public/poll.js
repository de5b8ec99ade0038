import { WebSocketClient } from './client/browser.js';

const client = new WebSocketClient({ url: '/ws' });
const buttons = [...document.querySelectorAll('[data-choice]')];
const state = document.querySelector('#state');
let chosen = null;

function show(counts) {
  const most = Math.max(1, ...Object.values(counts));
  for (const button of buttons) {
    const count = counts[button.dataset.choice];
    button.querySelector('output').textContent = count;
    button.querySelector('.bar').style.setProperty('--share', count / most);
    button.setAttribute('aria-pressed', String(button.dataset.choice === chosen));
  }
}

async function vote(choice) {
  chosen = choice;
  try {
    show(await client.request('poll', 'vote', { choice }));
  } catch (error) {
    state.textContent = error.message;
  }
}

client.on('poll', 'counts', show);
client.onState(({ state: now }) => {
  state.textContent = now === 'connected' ? 'Connected' : 'Waiting for the server…';
  if (now !== 'connected') return;
  // A connection has one vote; a new one gives it again.
  if (chosen) void vote(chosen);
  else client.request('poll', 'counts').then(show, () => undefined);
});
for (const button of buttons) button.addEventListener('click', () => void vote(button.dataset.choice));
// The state tells of failures.
client.connect().catch(() => undefined);
