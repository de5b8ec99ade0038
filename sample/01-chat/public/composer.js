import { byId, showDelivery } from './view.js';

const LIMIT = 500;
const SAY_TYPING_EVERY = 2_500;
const TYPING_PAUSE = 4_000;

/** The field that messages are written in; `open(room)` turns it to another room and keeps what was half written. */
export function startComposer(client, name) {
  const field = byId('text');
  let room = null;
  let typingSaid = 0;
  let pauseTimer;

  function open(next) {
    stopTyping();
    if (room) room.draft = field.value;
    room = next;
    write(room?.draft ?? '');
  }

  function write(text) {
    field.value = text;
    showLength();
  }

  function showLength() {
    const { length } = field.value;
    byId('counter').textContent = length > LIMIT - 100 ? `${length} of ${LIMIT} characters` : '';
    byId('counter').classList.toggle('over', length > LIMIT);
    byId('send').disabled = field.value.trim() === '';
  }

  function sayTyping() {
    clearTimeout(pauseTimer);
    if (field.value.trim() === '') return stopTyping();
    pauseTimer = setTimeout(stopTyping, TYPING_PAUSE);
    if (Date.now() - typingSaid < SAY_TYPING_EVERY) return;
    typingSaid = Date.now();
    client.whisper(room.name, 'typing', true);
  }

  function stopTyping() {
    clearTimeout(pauseTimer);
    if (typingSaid) client.whisper(room.name, 'typing', false);
    typingSaid = 0;
  }

  function send() {
    const text = field.value.trim();
    if (text === '') return;
    stopTyping();
    write('');
    // The id makes a second try safe: whoever got the first one knows it again.
    const id = crypto.getRandomValues(new Uint32Array(4)).join('-');
    post(room, { id, text, from: name, sentAt: Date.now(), mine: true });
  }

  function post(target, message) {
    const element = target.say(message);
    target.scrollToEnd();
    element.querySelector('.retry').addEventListener('click', () => deliver(target, message, element));
    element.querySelector('.edit').addEventListener('click', () => {
      target.forget(message, element);
      write([message.text, field.value].filter(Boolean).join('\n'));
      field.focus();
    });
    void deliver(target, message, element);
  }

  /** Marks the message as sent only when the server has said so. */
  async function deliver(target, { id, text }, element) {
    showDelivery(element, 'sending');
    try {
      await client.request('chat', 'send', { id, roomName: target.name, text });
      showDelivery(element, 'sent');
    } catch (error) {
      showDelivery(element, 'failed', error.message);
      element.scrollIntoView({ block: 'nearest' });
    }
  }

  field.addEventListener('input', () => {
    showLength();
    sayTyping();
  });
  field.addEventListener('keydown', (event) => {
    // Enter also confirms a word of an input method: that is not a wish to send.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send();
  });
  byId('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    send();
    field.focus();
  });

  return { open };
}
