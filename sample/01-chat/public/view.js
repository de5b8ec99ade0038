/** What the page is drawn with. Words of users enter through `textContent` alone, so they can never become markup. */
export const byId = (id) => document.getElementById(id);

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const sameGroup = 5 * 60_000;

/** What another page has said of itself: any value, or none. */
export const isAway = (state) => state?.away === true;

function fromTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** A letter on a colour that is always the same for the same name. */
export function paintAvatar(element, name) {
  let hue = 0;
  for (const character of name) hue = (hue * 31 + character.codePointAt(0)) % 360;
  element.style.setProperty('--hue', hue);
  element.textContent = [...name][0].toUpperCase();
}

export function showBadge(element, count) {
  element.hidden = count === 0;
  element.textContent = count > 99 ? '99+' : count || '';
}

export function roomItem(roomName, onOpen) {
  const item = fromTemplate('room-template');
  item.querySelector('.room-name').textContent = roomName;
  item.querySelector('button').addEventListener('click', onOpen);
  return item;
}

export function paintRoomItem({ item, name, unread }, isCurrent) {
  const button = item.querySelector('button');
  button.setAttribute('aria-current', isCurrent);
  button.setAttribute('aria-label', unread ? `${name}, ${unread} unread` : name);
  showBadge(item.querySelector('.badge'), unread);
}

export function suggestionItem(roomName, onJoin) {
  const item = fromTemplate('suggestion-template');
  item.firstElementChild.textContent = roomName;
  item.firstElementChild.addEventListener('click', onJoin);
  return item;
}

export function memberItem({ userId: name, state }, ownName) {
  const item = fromTemplate('member-template');
  paintAvatar(item.querySelector('.avatar'), name);
  item.querySelector('.member-name').textContent = name === ownName ? `${name} (you)` : name;
  item.classList.toggle('is-away', isAway(state));
  item.querySelector('.member-state').textContent = isAway(state) ? 'Away' : '';
  return item;
}

export function newLog(roomName) {
  const log = fromTemplate('log-template');
  log.setAttribute('aria-label', `Messages in ${roomName}`);
  return log;
}

export function noteElement(text) {
  const note = fromTemplate('note-template');
  note.textContent = text;
  return note;
}

/** A message; one that follows another of the same person closely shows no name and no avatar again. */
export function messageElement({ from, text, sentAt, mine = false }, previous) {
  const message = fromTemplate('message-template');
  const at = new Date(sentAt);
  message.classList.toggle('mine', mine);
  message.dataset.from = from;
  message.dataset.at = at.getTime();
  const follows = previous?.dataset.from === message.dataset.from && at - previous.dataset.at < sameGroup;
  message.classList.toggle('follows', follows);

  paintAvatar(message.querySelector('.avatar'), from);
  message.querySelector('.author').textContent = mine ? 'You' : from;
  message.querySelector('.text').textContent = text;
  message.querySelector('time').textContent = clock.format(at);
  message.querySelector('time').dateTime = at.toISOString();
  return message;
}

const DELIVERY = { sending: 'Sending…', sent: 'Sent ✓', failed: 'Not sent' };

/** How far a message of one's own has come; `reason` is the server's sentence when it was refused. */
export function showDelivery(message, state, reason = '') {
  message.dataset.delivery = state;
  message.querySelector('.delivery').textContent = DELIVERY[state];
  message.querySelector('.reason').textContent = reason;
  message.querySelector('.failure').hidden = state !== 'failed';
}
