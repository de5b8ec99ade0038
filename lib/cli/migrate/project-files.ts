import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { UsageError } from '../command.js';
import { filesOfTree } from './git-tree.js';

/** A file of the project, as it is on the disk. */
export interface ProjectFile {
  readonly path: string;
  /** Relative to where the command runs. */
  readonly name: string;
  readonly text: string;
  readonly hasBom: boolean;
}

const SOURCE = /(?<!\.d)\.[cm]?[jt]sx?$/;
const LEFT_OUT = /(?:^|\/)(?:node_modules|dist|build|coverage|\.[^/]+)\//;
/** What a person has not written: bundles, and generated code. */
const LARGEST = 1024 * 1024;
const BOM = '\uFEFF';

/** What was found under the given paths. */
export interface ProjectFiles {
  /** The folders of the paths. */
  readonly folders: readonly string[];
  readonly sources: readonly ProjectFile[];
  readonly manifests: readonly ProjectFile[];
  /** Pages and components with a mention of sockets, whose scripts are read. */
  readonly pages: readonly ProjectFile[];
  /** Files whose bytes are no UTF-8. */
  readonly undecoded: readonly string[];
}

/**
 * Reads the sources and the package.json files under the paths; what git ignores, `node_modules`, `dist`, `build` and hidden
 * folders are left out. So are links in the folders: what they point to is another file, or not of this project.
 *
 * @throws UsageError for a path that is not there
 */
export async function readProject(cwd: string, paths: readonly string[]): Promise<ProjectFiles> {
  const found = new Set<string>();
  const folders = new Set<string>();
  for (const given of paths) {
    // A path that is itself a link means what it points to: git has to watch over that.
    const path = await realpath(resolve(cwd, given)).catch(() => undefined);
    const entry = path === undefined ? undefined : await stat(path);
    if (path === undefined || !entry) throw new UsageError(`There is no ${given}.`);
    const isFolder = entry.isDirectory();
    folders.add(isFolder ? path : dirname(path));
    for (const file of isFolder ? await filesUnder(path) : [path]) found.add(file);
  }
  const files = {
    folders: [...folders],
    sources: [] as ProjectFile[],
    manifests: [] as ProjectFile[],
    pages: [] as ProjectFile[],
    undecoded: [] as string[],
  };
  for (const path of [...found].sort()) {
    const name = relative(cwd, path).split(sep).join('/');
    const isManifest = /(?:^|\/)package\.json$/.test(name);
    const isPage = /\.(?:vue|svelte|astro|html?)$/.test(name);
    if (!isManifest && !isPage && !SOURCE.test(name)) continue;
    const bytes = await readFile(path);
    if (bytes.length > LARGEST) continue;
    const text = decode(bytes);
    if (text === undefined) {
      if (!isPage) files.undecoded.push(name);
      continue;
    }
    const hasBom = text.startsWith(BOM);
    const file = { path, name, text: hasBom ? text.slice(1) : text, hasBom };
    if (!isPage) (isManifest ? files.manifests : files.sources).push(file);
    else if (/socket/i.test(text)) files.pages.push(file);
  }
  return files;
}

/** The bytes of a file with another text. */
export function encode(file: ProjectFile, text: string): string {
  return file.hasBom ? BOM + text : text;
}

async function filesUnder(path: string): Promise<string[]> {
  const names = (await filesOfTree(path)) ?? (await walk(path));
  const files = names.filter((name) => !LEFT_OUT.test(name)).map((name) => join(path, name));
  const present = await Promise.all(
    files.map((file) =>
      lstat(file).then(
        (entry) => entry.isFile(),
        () => false,
      ),
    ),
  );
  return files.filter((_, index) => present[index]);
}

async function walk(folder: string, below = ''): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
    const name = below === '' ? entry.name : `${below}/${entry.name}`;
    if (!entry.isDirectory()) names.push(name);
    else if (!LEFT_OUT.test(`${name}/`)) names.push(...(await walk(folder, name)));
  }
  return names;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
