import { h } from './dom/element.js';

const KEY = 'pxl-console-theme';
const THEMES = { auto: 'System', light: 'Light', dark: 'Dark' } as const;
type Theme = keyof typeof THEMES;

/** Puts on the theme that was chosen last; `auto` is the system's. */
export function wearTheme(theme = chosenTheme()): void {
  const { dataset } = document.documentElement;
  if (theme === 'auto') delete dataset.theme;
  else dataset.theme = theme;
}

/** The control that chooses it. */
export function themeChoice(): HTMLElement {
  const chosen = chosenTheme();
  const options = Object.entries(THEMES).map(([value, name]) =>
    h('option', { value, selected: value === chosen }, name),
  );
  const select = h('select', { 'aria-label': 'Theme', title: 'Theme' }, ...options);
  select.addEventListener('change', () => {
    const theme = themeOf(select.value);
    wearTheme(theme);
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
  });
  return select;
}

function chosenTheme(): Theme {
  try {
    return themeOf(localStorage.getItem(KEY));
  } catch {
    return 'auto';
  }
}

function themeOf(text: string | null): Theme {
  return text === 'light' || text === 'dark' ? text : 'auto';
}
