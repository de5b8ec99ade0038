import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PxlWebSocketSetupError } from '../errors/start-up.errors.js';

/** The same seen from the sources and from what is made of them. */
const OWN_FOLDER = fileURLToPath(new URL('../../dist/console/page/', import.meta.url));

/** Files of any other kind in the folder are not served. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
  ['.webmanifest', 'application/manifest+json'],
]);

/** The file that is the page. */
export const INDEX = 'index.html';

export interface PageFile {
  readonly body: Buffer;
  readonly type: string;
  /** For `ETag`. */
  readonly tag: string;
}

/**
 * Reads the files of the page, by name.
 *
 * @throws PxlWebSocketSetupError when there is no page
 */
export function readPageFiles(folder = OWN_FOLDER): ReadonlyMap<string, PageFile> {
  try {
    const names = readdirSync(folder).filter((name) => TYPES.has(extname(name)));
    const files = new Map(names.map((name) => [name, readPageFile(folder, name)]));
    if (files.has(INDEX)) return files;
  } catch (cause) {
    throw new PxlWebSocketSetupError(`The page of the console cannot be read. ${remedy(folder)}`, { cause });
  }
  throw new PxlWebSocketSetupError(`There is no page of the console. ${remedy(folder)}`);
}

function readPageFile(folder: string, name: string): PageFile {
  const body = readFileSync(join(folder, name));
  const hash = createHash('sha256').update(body).digest('base64url').slice(0, 22);
  return { body, type: TYPES.get(extname(name)) ?? '', tag: `"${hash}"` };
}

function remedy(folder: string): string {
  return (
    `It was looked for in ${folder}: where the application is bundled into one file, copy dist/console/page of this ` +
    'package beside it and name the copy in the option page.'
  );
}
