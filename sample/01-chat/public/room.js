import { messageElement, newLog, noteElement, roomItem } from './view.js';

const TYPING_LASTS = 5_000;
const NEAR_THE_END = 80;

/**
 * One room this page is in: who is there (`people`, which the client keeps), what was said, what is unread. `changed` is
 * called when the page should repaint.
 */
export class Room {
  joined = false;
  unread = 0;
  /** Aborted when the page leaves the room. */
  end = new AbortController();
  #isListed = false;
  #typing = new Map();
  #seen = new Set();
  #atEnd = true;
  #changed;

  constructor(name, people, { onOpen, changed }) {
    this.name = name;
    this.people = people;
    this.item = roomItem(name, onOpen);
    this.log = newLog(name);
    this.log.addEventListener('scroll', () => this.#noticeScroll());
    new ResizeObserver(() => this.#follow()).observe(this.log);
    this.#changed = changed;
    this.end.signal.addEventListener(
      'abort',
      people.onChange((change) => this.#tell(change)),
    );
  }

  get typingNames() {
    return [...this.#typing.keys()];
  }

  /** Adds a message to the log; null when it is there already, as after a second try whose first one had arrived. */
  say(message) {
    if (this.#seen.has(message.id)) return null;
    this.#seen.add(message.id);
    this.typing(message.from, false);
    return this.#append(messageElement(message, this.log.lastElementChild));
  }

  /** Forgets a message that never arrived, so that its text can be edited. */
  forget(message, element) {
    this.#seen.delete(message.id);
    element.remove();
  }

  note(text) {
    this.#append(noteElement(text));
  }

  /** Somebody types, or stopped; a stop that got lost is made good by the time limit. */
  typing(name, isTyping) {
    clearTimeout(this.#typing.get(name));
    this.#typing.delete(name);
    if (isTyping)
      this.#typing.set(
        name,
        setTimeout(() => this.typing(name, false), TYPING_LASTS),
      );
    this.#changed();
  }

  show() {
    this.log.hidden = false;
    this.unread = 0;
    this.scrollToEnd();
  }

  scrollToEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** Follows the conversation as it grows, unless the reader has scrolled up to something older. */
  #append(element) {
    this.log.append(element);
    this.#follow();
    return element;
  }

  /** Who comes and goes while this page is here. Whom it finds is no news, nor that there are too many people for a list. */
  #tell({ joined, left, partial }) {
    if (this.#isListed && !partial) {
      for (const { userId: name } of joined) this.note(`${name} joined`);
      for (const { userId: name } of left) this.note(`${name} left`);
    }
    this.#isListed = !partial;
    for (const { userId: name } of left) this.typing(name, false);
    this.#changed();
  }

  #follow() {
    if (this.#atEnd) this.scrollToEnd();
  }

  #noticeScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
  }
}
