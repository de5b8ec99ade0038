import { Actions } from './actions.js';
import { Announcer } from './dom/announcer.js';
import { readPlace } from './router.js';
import { ConsoleSession } from './session.js';
import { Shell } from './shell.js';
import { wearTheme } from './theme.js';
import type { View } from './view.js';
import { viewOf } from './views/view-of.js';

/** How often what is shown is asked for again, ms. Rates and workers come by themselves. */
const REFRESH = 3_000;

wearTheme();
document.addEventListener('DOMContentLoaded', start);

function start(): void {
  const session = new ConsoleSession();
  const announcer = new Announcer();
  const shell = new Shell(session, announcer);
  const actions = new Actions(
    session,
    (sentence) => shell.tell(sentence),
    () => void refresh(),
  );
  const context = { session, actions, announcer };
  let view: View | undefined;
  let shown = '';
  /** Questions without an answer yet. */
  let asked = 0;

  const refresh = async (): Promise<void> => {
    if (!session.isReady || document.hidden) return;
    const hadFocus = document.activeElement !== document.body;
    asked++;
    await view?.refresh?.();
    asked--;
    if (hadFocus) shell.keepFocus();
  };

  const go = (): void => {
    const place = readPlace(location.hash);
    const isFirst = !view;
    // What may be done is known once the server has said it.
    if (!session.about) return;
    const parts = JSON.stringify(place.parts);
    const isNew = !view || parts !== shown;
    shown = parts;
    if (isNew || !view) {
      view?.close?.();
      view = viewOf(context, place);
      shell.show(view.element, place.parts[0] ?? '');
      document.title = `${view.title} · Console`;
      if (!isFirst) view.element.querySelector('h1')?.focus();
    }
    view.show?.(place.query);
    if (isNew) view.connected?.();
    void refresh();
  };

  shell.mount();
  addEventListener('hashchange', go);
  document.addEventListener('visibilitychange', () => void refresh());
  setInterval(() => {
    if (asked === 0) void refresh();
  }, REFRESH);
  session.live.onSample(() => view?.sampled?.());
  session.onChange(() => {
    if (!session.isReady) return;
    if (view) {
      view.connected?.();
      void refresh();
    } else go();
  });
  session.start();
}
