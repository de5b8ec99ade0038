import { messageElement, newLog, noteElement, roomItem } from './view.js';

const TYPING_LASTS = 5_000;
const NEAR_THE_END = 80;

/** One room this page is in: who is there, what was said, what is unread. `changed` is called when the page should repaint. */
export class Room {
  joined = false;
  unread = 0;
  members = new Map();
  #typing = new Map();
  #seen = new Set();
  #atEnd = true;
  #changed;

  constructor(name, { onOpen, changed }) {
    this.name = name;
    this.item = roomItem(name, onOpen);
    this.log = newLog(name);
    this.log.addEventListener('scroll', () => this.#noticeScroll());
    new ResizeObserver(() => this.#follow()).observe(this.log);
    this.#changed = changed;
  }

  get typingNames() {
    return [...this.#typing.values()].map(({ name }) => name);
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

  setMembers(members) {
    this.members = new Map(members.map((member) => [member.clientId, member]));
    this.#changed();
  }

  memberJoined({ clientId, userId: name }) {
    if (!this.#has(name)) this.note(`${name} joined`);
    this.members.set(clientId, { clientId, name });
    this.#changed();
  }

  memberLeft({ clientId }) {
    const member = this.members.get(clientId);
    if (!member) return;
    this.members.delete(clientId);
    this.typing(member, false);
    if (!this.#has(member.name)) this.note(`${member.name} left`);
    this.#changed();
  }

  /** Somebody types, or stopped; a stop that got lost is made good by the time limit. */
  typing({ clientId, name }, isTyping) {
    clearTimeout(this.#typing.get(clientId)?.timer);
    this.#typing.delete(clientId);
    if (isTyping) {
      const timer = setTimeout(() => this.typing({ clientId }, false), TYPING_LASTS);
      this.#typing.set(clientId, { name, timer });
    }
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

  /** People are told by their names: somebody with two tabs open comes once and leaves once. */
  #has(name) {
    return [...this.members.values()].some((member) => member.name === name);
  }

  #follow() {
    if (this.#atEnd) this.scrollToEnd();
  }

  #noticeScroll() {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_THE_END;
  }
}
