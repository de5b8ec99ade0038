import { byId } from './view.js';

const conversation = byId('conversation');
const drawers = [
  { panel: byId('rooms'), opener: byId('rooms-button') },
  { panel: byId('members'), opener: byId('members-button') },
];

/** On a narrow screen the rooms and the members are drawers over the conversation; `opened` is the one in view. */
let opened = null;

function open(drawer) {
  closeDrawers();
  opened = drawer;
  drawer.panel.classList.add('open');
  drawer.opener.setAttribute('aria-expanded', 'true');
  conversation.inert = true;
  drawer.panel.querySelector('.close').focus();
}

/** Closes the drawer in view, if any, and gives the focus back to the button that opened it. */
export function closeDrawers() {
  if (!opened) return;
  const { panel, opener } = opened;
  opened = null;
  panel.classList.remove('open');
  opener.setAttribute('aria-expanded', 'false');
  conversation.inert = false;
  opener.focus();
}

for (const drawer of drawers) {
  drawer.opener.addEventListener('click', () => (opened === drawer ? closeDrawers() : open(drawer)));
  drawer.panel.querySelector('.close').addEventListener('click', closeDrawers);
}
byId('scrim').addEventListener('click', closeDrawers);
document.addEventListener('keydown', ({ key }) => key === 'Escape' && closeDrawers());
// On a screen that has become wide the same panels are columns: nothing may stay covered.
matchMedia('(min-width: 900px)').addEventListener('change', closeDrawers);
