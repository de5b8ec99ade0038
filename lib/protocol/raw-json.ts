/** An answer that is JSON text already: it is written as it is, so that many answers can share a part of their text. */
export class RawJson {
  constructor(readonly text: string) {}

  /** The JSON of an object, with further fields that are text already. */
  static withFields(object: object, fields: string): string {
    const text = JSON.stringify(object);
    return text === '{}' ? `{${fields}}` : `${text.slice(0, -1)},${fields}}`;
  }
}
