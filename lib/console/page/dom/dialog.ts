import { h, type Child } from './element.js';

/** A question before something is done. */
export interface Question {
  readonly title: string;
  /** Whom and what it hits. */
  readonly hits: readonly Child[];
  /** A text that goes with it. */
  readonly field?: {
    readonly label: string;
    readonly isLong?: boolean;
    readonly isRequired?: boolean;
    readonly most: number;
  };
  /** The word on the button that does it. */
  readonly verb: string;
  /** Whether it takes something away. */
  readonly isGrave?: boolean;
  /** Does it, with the text of the field. What it rejects with is told in the dialog, which stays open. */
  readonly act: (text: string) => Promise<unknown>;
}

/**
 * Asks in a dialog, which keeps the focus and gives it back: the browser's own does that, and ends with Escape.
 *
 * @returns whether it was done
 */
export function ask({ title, hits, field, verb, isGrave, act }: Question): Promise<boolean> {
  const attributes = { required: field?.isRequired, maxlength: field?.most, dir: 'auto' };
  const input = field?.isLong ? h('textarea', attributes) : h('input', { ...attributes, type: 'text' });
  const failure = h('p', { class: 'notice', 'data-tone': 'bad', role: 'alert' });
  failure.hidden = true;
  const confirm = h('button', { class: 'button', 'data-tone': isGrave ? 'grave' : 'main', type: 'submit' }, verb);
  const cancel = h('button', { class: 'button', type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const form = h(
    'form',
    { method: 'dialog' },
    h('h2', { id: 'question' }, title),
    h('div', { id: 'hits' }, ...hits),
    field && h('label', { class: 'field' }, h('span', {}, field.label), input),
    failure,
    h('div', { class: 'acts' }, cancel, confirm),
  );
  const dialog = h('dialog', { 'aria-labelledby': 'question', 'aria-describedby': 'hits' }, form);
  let isDone = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (confirm.disabled) return;
    confirm.disabled = true;
    act(input.value.trim()).then(
      () => {
        isDone = true;
        dialog.close();
      },
      (error: unknown) => {
        confirm.disabled = false;
        failure.textContent = sentenceOf(error);
        failure.hidden = false;
      },
    );
  });
  document.body.append(dialog);
  dialog.showModal();
  // An accidental Enter must not do it: the text comes first, else the way out.
  (field ? input : cancel).focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(isDone);
    });
  });
}

/** An error for people. */
export function sentenceOf(error: unknown): string {
  const { message, code } = error as { readonly message?: unknown; readonly code?: unknown };
  const text = typeof message === 'string' && message ? message : 'It failed.';
  return typeof code === 'string' ? `${text} (${code})` : text;
}
