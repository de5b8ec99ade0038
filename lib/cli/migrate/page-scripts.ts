/** A script in a page or a component. */
export interface PageScript {
  /** Where its code is in the page. */
  readonly start: number;
  readonly end: number;
  readonly code: string;
  /** The opening tag. */
  readonly tag: string;
  readonly tagStart: number;
  /** `.ts`, `.tsx`, `.js` or `.jsx`. */
  readonly extension: string;
}

/** A script that a page loads from elsewhere. */
export interface LoadedScript {
  readonly tag: string;
  readonly start: number;
  readonly end: number;
  readonly source: string;
}

const SCRIPT = /(<script\b[^>]*>)([^]*?)<\/script\s*>/gi;

/** The scripts whose code stands in the text of a page (HTML, Vue, Svelte, Astro). */
export function scriptsOf(text: string): PageScript[] {
  return [...text.matchAll(SCRIPT)].flatMap(({ index, 1: tag = '', 2: code = '' }) => {
    const type = attributeOf(tag, 'type') ?? '';
    const isScript = type === '' || /^(?:module|(?:text|application)\/(?:javascript|babel|typescript))$/.test(type);
    if (!isScript || attributeOf(tag, 'src') !== undefined || code.trim() === '') return [];
    const start = index + tag.length;
    return [{ start, end: start + code.length, code, tag, tagStart: index, extension: extensionOf(tag, type) }];
  });
}

/** The scripts that a page loads. */
export function loadedScripts(text: string): LoadedScript[] {
  return [...text.matchAll(SCRIPT)].flatMap(({ index, 0: whole, 1: tag = '' }) => {
    const source = attributeOf(tag, 'src');
    return source === undefined ? [] : [{ tag, start: index, end: index + whole.length, source }];
  });
}

/** What a tag says of an attribute; undefined when it has none. */
export function attributeOf(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
  return found?.[1] ?? found?.[2] ?? found?.[3];
}

function extensionOf(tag: string, type: string): string {
  const language = attributeOf(tag, 'lang') ?? '';
  if (type === 'text/babel') return '.jsx';
  return language === 'ts' || type.endsWith('typescript') ? '.ts' : /^[jt]sx$/.test(language) ? `.${language}` : '.js';
}
