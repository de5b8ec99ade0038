import { byId } from './view.js';

/** What the stage tells of the machines. It comes by a way of its own, which the buttons do not break. */
export function watchStage(visitor, use) {
  const source = new EventSource(`stage?visitor=${visitor}`);
  source.addEventListener('message', ({ data }) => {
    const stage = JSON.parse(data);
    paint(stage);
    use(stage);
  });
  for (const button of document.querySelectorAll('[data-break]')) {
    button.addEventListener('click', () =>
      fetch(`stage/${button.dataset.break}?visitor=${visitor}`, { method: 'POST' }),
    );
  }
}

const REDIS = {
  running: 'keeps the last 60 messages: 15 s',
  frozen: 'frozen: it answers nothing',
  down: 'killed; it starts again',
};
const WORKER = { ready: 'serves this page', starting: 'starts again', down: 'killed' };

function paint({ feed, redis, workers, isCut }) {
  const mine = workers.find(({ isMine }) => isMine);
  const others = workers.filter(({ isMine }) => !isMine).map(({ name, state }) => `${name} is ${state}`);
  show(
    'feed',
    feed.isRefused ? 'down' : 'up',
    feed.isRefused ? 'refused: it tries again' : `has published ${feed.last}`,
  );
  show('redis', redis === 'running' ? 'up' : 'down', REDIS[redis]);
  byId('worker-name').textContent = mine?.name ?? '';
  if (mine) {
    const text = mine.isLinkCut ? 'cut off Redis, and does not know it yet' : WORKER[mine.state];
    show('worker', mine.isLinkCut || mine.state !== 'ready' ? 'down' : 'up', `${text}; ${others.join()}`);
  }
  disable(['redis-freeze', 'redis-restart', 'redis-forget'], redis !== 'running');
  disable(['worker', 'link'], !mine || mine.isLinkCut || mine.state !== 'ready');
  disable(['network', 'network-long'], isCut);
}

/** A stop on the way, and how it is. */
export function show(id, health, text) {
  byId(id).dataset.health = health;
  byId(id).querySelector('.state').textContent = text;
}

function disable(names, isDisabled) {
  for (const name of names) document.querySelector(`[data-break=${name}]`).disabled = isDisabled;
}
