import { moment, NONE, roughly } from '../format.js';
import { h, type Child } from './element.js';

/** How something is: what stands out. */
export type Tone = 'good' | 'warn' | 'bad' | 'none';

/** A name that somebody else has chosen, in any script and direction. */
export function named(name: string, isId = false): HTMLElement {
  return h('bdi', { class: isId ? 'name id' : 'name', dir: 'auto' }, name);
}

/** What is short and has no place to break: a shortened id, a time. */
export function brief(text: string): HTMLElement {
  return h('span', { class: 'id brief' }, text);
}

/** A link to a place of the page. */
export function link(href: string, ...children: readonly Child[]): HTMLElement {
  return h('a', { href }, ...children);
}

export function badge(text: string, tone: Tone): HTMLElement {
  return h('span', { class: 'badge', 'data-tone': tone }, text);
}

export function button(
  text: string,
  onclick: () => void,
  attributes: { class?: string; tone?: Tone | 'main' } = {},
): HTMLButtonElement {
  const { class: more = '', tone } = attributes;
  return h('button', { type: 'button', class: `button ${more}`.trim(), 'data-tone': tone, onclick }, text);
}

/** What needs attention, with what can be done about it. */
export function notice(tone: Tone, text: Child, ...acts: readonly Child[]): HTMLElement {
  return h('div', { class: 'notice', 'data-tone': tone }, h('p', {}, text), ...acts);
}

/** For how long something is so; the time itself shows at the pointer. */
export function since(at: number): HTMLElement {
  return h('time', { datetime: new Date(at).toISOString(), title: moment(at) }, roughly(Date.now() - at));
}

/** The top of a view. */
export function head(
  title: Child,
  { trail, hint, acts = [] }: { trail?: Child; hint?: Child; acts?: readonly Child[] } = {},
): HTMLElement {
  return h(
    'div',
    { class: 'head' },
    h(
      'div',
      {},
      trail && h('p', { class: 'trail' }, trail),
      h('h1', { tabindex: -1 }, title),
      hint && h('p', { class: 'hint' }, hint),
    ),
    acts.length > 0 && h('div', { class: 'acts' }, ...acts),
  );
}

/** A part of a view under a heading. */
export function part(title: string, hint: Child, ...children: readonly Child[]): HTMLElement {
  const heading = h('div', { class: 'part-head' }, h('h2', {}, title), hint && h('p', { class: 'hint' }, hint));
  return h('section', { class: 'part' }, heading, ...children);
}

/** What is known of one thing: names and values. A value of null is left out; `wide` ones have a line of their own. */
export function facts(entries: readonly (readonly [name: string, value: Child, wide?: boolean])[]): HTMLElement {
  return h(
    'dl',
    { class: 'panel facts' },
    ...entries.flatMap(([name, value, wide]) => {
      if (value === null) return [];
      return h(
        'div',
        { class: wide ? 'wide' : undefined },
        h('dt', {}, name),
        h('dd', {}, value === '' ? NONE : value),
      );
    }),
  );
}

export function tags(items: readonly Child[]): HTMLElement {
  return h('ul', { class: 'tags' }, ...items.map((item) => h('li', {}, item)));
}
