import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A Markdown file of the project. */
export interface Page {
  /** Its path in the repository. */
  readonly path: string;
  readonly text: string;
}

/** A fenced block of code. */
export interface Example {
  readonly page: string;
  readonly language: string;
  readonly code: string;
  /** The path in its first line, `// src/main.ts`: the example is that file as a whole. Undefined: it is a part of one. */
  readonly file: string | undefined;
}

export function pageOf(path: string): Page {
  return { path, text: readFileSync(join(ROOT, path), 'utf8') };
}

/** README.md and all pages of docs. */
export function documentation(): Page[] {
  const names = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  const pages = names.filter((name) => name.endsWith('.md')).sort();
  return ['README.md', ...pages.map((name) => join('docs', name))].map(pageOf);
}

/** The pages that nobody has to have: those of them that there are. */
export function otherPages(): Page[] {
  const paths = [
    'PROTOCOL.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'lib/README.md',
    'bench/README.md',
    'findings/README.md',
  ];
  return paths.filter((path) => existsSync(join(ROOT, path))).map(pageOf);
}

export function examplesOf({ path, text }: Page): Example[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language = '', code = '']) => {
    const [, file] = /^\/\/ ([\w@.-]+(?:\/[\w@.-]+)*\.\w+)\n/.exec(code) ?? [];
    return { page: path, language, code, file };
  });
}

/**
 * The whole files of a page as programs. They are one program, except that a file which is there again takes the place of
 * the former one: then the page is a program before that, and another one with it.
 */
export function programsOf(examples: readonly Example[]): Map<string, string>[] {
  const programs: Map<string, string>[] = [];
  let files = new Map<string, string>();
  for (const { file, code } of examples) {
    if (file === undefined) continue;
    if (files.has(file)) {
      programs.push(files);
      files = new Map(files);
    }
    files.set(file, code);
  }
  if (files.size > 0) programs.push(files);
  return programs;
}

/** The links of a page that lead to no file or heading of the repository, as `page: link`. */
export function brokenLinks(page: Page): string[] {
  const text = page.text.replace(/^```.*?^```/gms, '').replace(/`[^`\n]+`/g, '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:href|src)="([^"]+)"|^\[[^\]]+\]: (\S+)$/gm)];
  return links
    .map(([, inline, attribute, reference]) => inline ?? attribute ?? reference ?? '')
    .filter((link) => !/^[a-z]+:/.test(link) && !leadsSomewhere(page, link))
    .map((link) => `${page.path}: ${link}`);
}

function leadsSomewhere(page: Page, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const target = file === '' ? page.path : relative(ROOT, join(ROOT, dirname(page.path), file));
  if (target.startsWith('..') || !existsSync(join(ROOT, target))) return false;
  return anchor === undefined || (target.endsWith('.md') && anchorsOf(pageOf(target)).has(anchor));
}

/** The anchors that GitHub and npm make of headings. */
function anchorsOf({ text }: Page): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replace(/^```.*?^```/gms, '').matchAll(/^#{1,6} (.+)$/gm)) {
    const shown = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
    const slug = shown
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_\- ]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}
