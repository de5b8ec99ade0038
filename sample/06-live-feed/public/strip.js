/** Squares of one row. */
const ROW = 20;
const ROWS = 6;

/** The newest row is on top; each square has a place of its own, so that nothing moves but whole rows. */
export class Strip {
  #rows = new Map();

  constructor(element) {
    this.element = element;
  }

  paint(marks) {
    for (const [number, mark] of marks) {
      const cell = this.#cell(number);
      if (cell && cell.dataset.mark !== mark) cell.dataset.mark = mark;
    }
  }

  clear() {
    this.#rows.clear();
    this.element.replaceChildren();
  }

  #cell(number) {
    const index = Math.floor((number - 1) / ROW);
    return this.#row(index)?.children[(number - 1) % ROW];
  }

  #row(index) {
    const newest = Math.max(-1, ...this.#rows.keys());
    if (index <= newest - ROWS) return undefined;
    for (let next = this.#rows.size === 0 ? index : newest + 1; next <= index; next++) this.#add(next);
    return this.#rows.get(index);
  }

  #add(index) {
    const row = document.createElement('div');
    row.className = 'row';
    for (let number = index * ROW + 1; number <= (index + 1) * ROW; number++) {
      const cell = document.createElement('span');
      cell.className = 'cell';
      cell.textContent = number;
      row.append(cell);
    }
    this.#rows.set(index, row);
    this.element.prepend(row);
    for (const [old, element] of this.#rows) {
      if (old > index - ROWS) continue;
      this.#rows.delete(old);
      element.remove();
    }
  }
}
