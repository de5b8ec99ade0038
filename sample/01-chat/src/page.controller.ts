import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Controller, Get, Header, NotFoundException, Param, StreamableFile } from '@nestjs/common';

// As seen from this file where it is compiled to, dist/sample/01-chat, and where it is written.
const PUBLIC_FOLDER =
  ['../../../sample/01-chat/public', '../public']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path)) ?? 'public';

/** Serves the page: a handful of files that a browser runs as they are. */
@Controller()
export class PageController {
  @Get()
  @Header('Cache-Control', 'no-cache')
  @Header('Content-Security-Policy', "default-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'")
  page(): Promise<StreamableFile> {
    return readPublic('index.html', 'text/html');
  }

  @Get(':name.css')
  @Header('Cache-Control', 'no-cache')
  style(@Param('name') name: string): Promise<StreamableFile> {
    return readPublic(`${name}.css`, 'text/css');
  }

  /** The library's client: one file, too. */
  @Get('client.js')
  @Header('Cache-Control', 'no-cache')
  async client(): Promise<StreamableFile> {
    const file = fileURLToPath(import.meta.resolve('nestjs-pxl-websocket/client/browser'));
    return new StreamableFile(await readFile(file), { type: 'text/javascript; charset=utf-8' });
  }

  @Get(':name.js')
  @Header('Cache-Control', 'no-cache')
  script(@Param('name') name: string): Promise<StreamableFile> {
    return readPublic(`${name}.js`, 'text/javascript');
  }
}

async function readPublic(file: string, type: string): Promise<StreamableFile> {
  // An encoded slash is decoded by now: a name with a folder in it could lead out of ours.
  const content = file === basename(file) ? await readFile(join(PUBLIC_FOLDER, file)).catch(() => null) : null;
  if (!content) throw new NotFoundException();
  return new StreamableFile(content, { type: `${type}; charset=utf-8` });
}
