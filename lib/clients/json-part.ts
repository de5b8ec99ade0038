/** Those of the values that have a JSON form: what has none cannot leave this process. */
export function jsonPartOf(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (hasJsonForm(values)) return values;
  return Object.fromEntries(Object.entries(values).filter(([, value]) => hasJsonForm(value)));
}

function hasJsonForm(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return true;
  } catch {
    return false;
  }
}
