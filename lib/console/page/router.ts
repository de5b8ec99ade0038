/** Where one is in the page: `#/rooms/lobby?search=x`. */
export interface Place {
  /** `['rooms', 'lobby']`. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

/** Reads the part of an address behind `#`. */
export function readPlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  return { parts: path.split('/').filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

/** The link to a place, which {@link readPlace} reads; names may hold anything. Parameters that are empty are left out. */
export function linkTo(parts: readonly string[], query: Readonly<Record<string, string | undefined>> = {}): string {
  const given = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const text = new URLSearchParams(given).toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${text && `?${text}`}`;
}

/** Somebody may have typed what is no encoding: it stands for itself then. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
