const template = document.getElementById('postcard-template');

/** One postcard on the page. What it was told is final: news that comes late takes nothing back. */
export class Postcard {
  #parts;

  constructor(place) {
    this.place = place;
    this.element = template.content.firstElementChild.cloneNode(true);
    const [bar, picture, name, state] = ['.bar', '.picture', '.place', '.state'].map((part) =>
      this.element.querySelector(part),
    );
    this.#parts = { bar, picture, state };
    name.textContent = place;
    bar.setAttribute('aria-label', `Painting of ${place}`);
  }

  get #isOver() {
    return ['done', 'failed'].includes(this.element.dataset.state);
  }

  /** So many percent are painted, and it looks like that, as far as it was told. */
  progressed(percent, picture) {
    const { bar } = this.#parts;
    if (this.#isOver || percent <= bar.value) return;
    bar.value = percent;
    if (picture) this.#paint(picture);
    this.#show('painting', `${percent} %`);
  }

  finished(picture) {
    if (this.#isOver) return;
    this.#parts.bar.value = 100;
    this.#paint(picture);
    this.#show('done', 'Painted');
  }

  failed() {
    if (!this.#isOver) this.#show('failed', 'It could not be painted');
  }

  /** @param picture the text of an SVG; in an image it can run no script */
  #paint(picture) {
    this.#parts.picture.src = `data:image/svg+xml,${encodeURIComponent(picture)}`;
    this.#parts.picture.hidden = false;
    this.#parts.picture.alt = `A landscape: ${this.place}`;
  }

  #show(state, text) {
    this.element.dataset.state = state;
    this.#parts.state.textContent = text;
  }
}
