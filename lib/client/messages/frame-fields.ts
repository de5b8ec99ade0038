/** What a frame may hold: of its fields nothing is known before it was looked at. */
export type Fields = Partial<Record<string, unknown>>;

/** The value of a frame; undefined when it is not JSON, which no JSON value is. */
export function parse(text: unknown): unknown {
  try {
    return JSON.parse(String(text));
  } catch {
    return undefined;
  }
}

/** The fields of an object; none of any other value. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? value : {};
}

/** The value where it is a text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
