import type { WsRequestParams } from '../../ws-client/ws-request.js';

const SLASH = '/';
/** What a path may hold at all: the target of a request without its query. */
const PATH = /^[^?#\s]*$/;
const NAME = /^[A-Za-z_]\w*$/;

/**
 * Why no request can have this path, as a clause: `it has a query, or blanks`; undefined for a good one. A segment that
 * begins with a colon is a parameter.
 */
export function problemOfPath(path: string): string | undefined {
  if (!PATH.test(path)) return 'it has a query, or blanks';
  const names = namesOf(path);
  const wrong = names.find((name) => !NAME.test(name));
  if (wrong !== undefined) return `:${wrong} is no parameter, which is a colon and a name of letters, digits and _`;
  const twice = names.find((name, at) => names.indexOf(name) < at);
  return twice === undefined ? undefined : `it has the parameter :${twice} twice`;
}

/** A path with parameters, such as `/ws/:tenant`. Each parameter is one whole segment of a request's path, and not empty. */
export class PathPattern {
  readonly names: readonly string[];
  readonly #segments: readonly string[];
  readonly #expression: RegExp;

  private constructor(readonly path: string) {
    this.#segments = path.split(SLASH);
    this.names = namesOf(path);
    this.#expression = new RegExp(`^${this.#segments.map(expressionOf).join(SLASH)}$`);
  }

  /** The pattern of a good path; null for one without parameters. */
  static of(path: string): PathPattern | null {
    return namesOf(path).length > 0 ? new PathPattern(path) : null;
  }

  /** Whether it fits the path of a request, of which everything but the parameters is compared byte for byte. */
  fits(path: string): boolean {
    return this.#expression.test(path);
  }

  /** The parameters of a path that it fits, percent-decoded once; null when one of them cannot be decoded. */
  paramsOf(path: string): WsRequestParams | null {
    const [, ...values] = this.#expression.exec(path) ?? [];
    const params = Object.create(null) as Record<string, string>;
    try {
      this.names.forEach((name, at) => (params[name] = decodeURIComponent(values[at] ?? '')));
    } catch {
      return null;
    }
    return Object.freeze(params);
  }

  /** A path that this and another pattern both fit; undefined when there is none. */
  commonPath(other: PathPattern): string | undefined {
    if (this.#segments.length !== other.#segments.length) return undefined;
    const common = this.#segments.map((segment, at) => commonSegment(segment, other.#segments[at] ?? ''));
    return common.includes(undefined) ? undefined : common.join(SLASH);
  }
}

function namesOf(path: string): string[] {
  return path
    .split(SLASH)
    .filter(isParameter)
    .map((segment) => segment.slice(1));
}

/** Whether a segment of a path is a parameter. */
export function isParameter(segment: string): boolean {
  return segment.startsWith(':');
}

function expressionOf(segment: string): string {
  return isParameter(segment) ? '([^/]+)' : segment.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');
}

function commonSegment(one: string, other: string): string | undefined {
  if (isParameter(one)) return isParameter(other) ? 'x' : other || undefined;
  return one === other || (isParameter(other) && one !== '') ? one : undefined;
}
