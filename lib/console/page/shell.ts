import type { Announcer } from './dom/announcer.js';
import { fill, h, svg } from './dom/element.js';
import { badge, button, notice, type Tone } from './dom/parts.js';
import { clock, span } from './format.js';
import { linkTo } from './router.js';
import type { ConsoleSession } from './session.js';
import { themeChoice } from './theme.js';
import { PLACES } from './views/view-of.js';

/** What stands around every view: the way to the others, how the connection is, and what was done. */
export class Shell {
  readonly main = h('main', { id: 'main', tabindex: -1 });
  readonly #session: ConsoleSession;
  readonly #announcer: Announcer;
  readonly #links = PLACES.map(([first, name]) => h('a', { href: linkTo(first ? [first] : []) }, name));
  readonly #state = h('span', {});
  readonly #connection = h('div', { class: 'slot' });
  readonly #result = h('div', { class: 'slot' });
  #told = '';

  constructor(session: ConsoleSession, announcer: Announcer) {
    this.#session = session;
    this.#announcer = announcer;
    session.onChange(() => this.#drawConnection());
    // The wait until the next attempt becomes shorter.
    setInterval(() => this.#drawConnection(), 1_000);
  }

  /** Puts it all into the page. */
  mount(): void {
    const skip = h('a', { class: 'skip', href: '#main' }, 'Skip to the content');
    skip.addEventListener('click', (event) => {
      // The address behind # is the place in the page.
      event.preventDefault();
      this.main.focus();
    });
    const wave = svg('path', { d: 'M2 13h4l3-8 5 14 3-9 2 3h3' });
    const attributes = {
      viewBox: '0 0 24 24',
      fill: 'none',
      stroke: 'currentColor',
      'stroke-width': 2.2,
      'aria-hidden': 'true',
    };
    const brand = h('a', { class: 'brand', href: linkTo([]) }, svg('svg', attributes, wave), 'Console');
    const places = h('nav', { class: 'places', 'aria-label': 'Views' }, ...this.#links);
    const end = h('div', { class: 'top-end' }, this.#state, themeChoice());
    document.body.replaceChildren(
      skip,
      h('header', { class: 'top' }, h('div', { class: 'top-row' }, brand, places, end)),
      this.main,
      this.#announcer.element,
    );
    this.main.append(this.#connection);
    this.#drawConnection();
  }

  /** @param first the first part of its address */
  show(view: HTMLElement, first: string): void {
    this.main.replaceChildren(this.#connection, this.#result, view);
    this.#links.forEach((link, at) => {
      const own = PLACES[at]?.[0];
      if (own === first || (own === '' && first === 'workers')) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    });
    fill(this.#result);
  }

  /** Tells the result of an action, until somebody closes it or goes elsewhere. */
  tell(sentence: string): void {
    fill(
      this.#result,
      notice(
        'good',
        sentence,
        button('Close', () => this.#forget(), { class: 'small' }),
      ),
    );
    this.#announcer.say(sentence);
  }

  /** Gives the focus a place where what had it has gone: the reader goes on from there, not from the top. */
  keepFocus(): void {
    if (document.activeElement === document.body) this.main.focus({ preventScroll: true });
  }

  #forget(): void {
    fill(this.#result);
    this.main.focus();
  }

  #drawConnection(): void {
    const [text, tone] = this.#stateOf();
    fill(this.#state, badge(text, tone));
    fill(this.#connection, this.#trouble());
    if (text !== this.#told && this.#told) this.#announcer.say(`Connection: ${text}`);
    this.#told = text;
  }

  #stateOf(): [text: string, tone: Tone] {
    if (this.#session.isReady) return ['live', 'good'];
    switch (this.#session.client.state) {
      case 'reconnecting':
        return ['connection lost', 'warn'];
      case 'disconnected':
        return ['not connected', 'bad'];
      default:
        return ['connecting', 'none'];
    }
  }

  #trouble(): HTMLElement | null {
    const { client, live, nextAttempt } = this.#session;
    const { lastChange } = client;
    if (!lastChange || !('code' in lastChange)) return null;
    const again = button('Connect now', () => this.#session.connect(), { class: 'small' });
    const since = live.sampledAt === undefined ? '' : ` What you see is from ${clock(live.sampledAt)}.`;
    if (lastChange.state === 'disconnected') {
      return notice(
        'bad',
        `The server has ended the connection: ${lastChange.reason} (${lastChange.code}).${since}`,
        again,
      );
    }
    const wait = Math.max(0, (nextAttempt ?? 0) - Date.now());
    const next = Number.isFinite(wait) && wait > 0 ? ` Next attempt in ${span(wait)}.` : ' Connecting again …';
    return notice('warn', `The connection is lost.${next}${since}`, again);
  }
}
