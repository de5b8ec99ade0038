import { WebSocketClient } from './client.js';

const byId = (id) => document.getElementById(id);
// Without a queue: who buys wants to hear at once that the shop is closed.
const shop = new WebSocketClient({ url: 'ws', queue: false });

shop.on('shop', 'supply', ({ isThere }) => look(isThere));
shop.on('shop', 'stock', (stock) => {
  show(stock);
  note(`${stock.left} ${stock.item} left.`);
});
shop.on('shop', 'asked', ({ item, count }) => {
  note(`It has asked how many ${item} to fetch; the shop said ${count}.`);
});
shop.onState(({ state }) => {
  if (state === 'connected') void look(true);
  if (state === 'reconnecting') tell('away', 'The shop is closed; this page goes on trying.');
  if (state === 'disconnected') tell('away', 'The shop is closed. Reload the page.');
});
shop.connect();

/** Shows what there is, as soon as there is a warehouse. */
async function look(isThere) {
  try {
    if (!isThere) throw new Error();
    const goods = await shop.request('shop', 'goods');
    byId('goods').replaceChildren();
    goods.forEach(show);
    tell('there', 'The warehouse is there.');
  } catch {
    // With the shop closed, that is what is told.
    if (shop.isClientConnected()) tell('away', 'The warehouse is away; the shop goes on trying.');
  }
}

async function buy(item) {
  const result = byId('result');
  try {
    await shop.request('shop', 'buy', { item });
    delete result.dataset.refused;
    result.textContent = `You have bought ${item}.`;
  } catch (error) {
    result.dataset.refused = '';
    result.textContent = error.message;
  }
}

function show({ item, left }) {
  const known = byId('goods').querySelector(`[data-item="${item}"]`);
  if (known) return void (known.querySelector('.left').textContent = left);
  const card = document.createElement('li');
  card.dataset.item = item;
  card.append(element('b', item), element('span', left, 'left'), element('button', `Buy ${item}`));
  card.querySelector('button').addEventListener('click', () => void buy(item));
  byId('goods').append(card);
}

function element(name, text, className = '') {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

function note(text) {
  byId('log').prepend(element('li', text));
  while (byId('log').children.length > 20) byId('log').lastChild.remove();
}

function tell(state, text) {
  byId('supply').dataset.state = state;
  byId('supply').textContent = text;
}
