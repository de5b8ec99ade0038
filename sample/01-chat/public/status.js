import { byId } from './view.js';

const WORDS = { connecting: 'Connecting', open: 'Connected', waiting: 'Reconnecting', stopped: 'Disconnected' };

/** Shows how the connection is, with a countdown to the next attempt and a way to cut it short. */
export function showStatus(connection) {
  let state = 'connecting';
  let nextAttempt = 0;
  let everOpen = false;

  function countDown() {
    const seconds = Math.ceil((nextAttempt - Date.now()) / 1000);
    const underWay = state === 'connecting' || state === 'waiting';
    byId('status-wait').textContent = state === 'waiting' && seconds > 0 ? ` in ${seconds} s…` : underWay ? '…' : '';
  }

  connection.addEventListener('state', ({ detail }) => {
    state = detail.state;
    everOpen ||= state === 'open';
    nextAttempt = Date.now() + (detail.delay ?? 0);
    byId('status').dataset.state = state;
    byId('status-text').textContent = state === 'connecting' && everOpen ? WORDS.waiting : WORDS[state];
    byId('try-now').hidden = state !== 'waiting' && state !== 'stopped';
    countDown();
  });

  setInterval(countDown, 250);
  byId('try-now').addEventListener('click', () => connection.open());
  addEventListener('online', () => state === 'waiting' && connection.open());
}
