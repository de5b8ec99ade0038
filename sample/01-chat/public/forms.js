import { byId, suggestionItem } from './view.js';

const SUGGESTED = ['lobby', 'coffee', 'books', 'music'];

let suggestions = [];

/** The ways in: a name for the chat, and then a room, one of the suggested ones or any other. */
export function startForms({ enter, join }) {
  onSubmit(byId('name-form'), byId('name'), enter);
  onSubmit(byId('join-form'), byId('room-name'), join);
  byId('problem-close').addEventListener('click', () => showProblem(''));

  suggestions = [...document.querySelectorAll('.suggestions')].flatMap((list) =>
    SUGGESTED.map((name) => {
      const item = suggestionItem(name, () => join(name));
      list.append(item);
      return { name, item };
    }),
  );
}

function onSubmit(form, field, use) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const value = field.value.trim();
    form.reset();
    if (value) use(value);
  });
}

export function suggestAllBut(joinedNames) {
  for (const { name, item } of suggestions) item.hidden = joinedNames.includes(name);
}

export function showProblem(text) {
  byId('problem-text').textContent = text;
  byId('problem').hidden = text === '';
}
