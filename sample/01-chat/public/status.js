import { byId } from './view.js';

const WORDS = {
  connecting: 'Connecting',
  connected: 'Connected',
  reconnecting: 'Reconnecting',
  disconnected: 'Disconnected',
};

/** Shows how the connection is, with a countdown to the next attempt and a way to cut it short. */
export function showStatus(client) {
  let state = 'connecting';
  let nextAttempt = 0;

  function countDown() {
    const seconds = Math.ceil((nextAttempt - Date.now()) / 1000);
    const underWay = state === 'connecting' || state === 'reconnecting';
    byId('status-wait').textContent =
      state === 'reconnecting' && seconds > 0 ? ` in ${seconds} s…` : underWay ? '…' : '';
  }

  client.onState((change) => {
    state = change.state;
    nextAttempt = Date.now() + (change.delay ?? 0);
    byId('status').dataset.state = state;
    byId('status-text').textContent = WORDS[state];
    byId('try-now').hidden = state !== 'reconnecting' && state !== 'disconnected';
    countDown();
  });

  setInterval(countDown, 250);
  byId('try-now').addEventListener('click', () => client.connect());
}
