const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { transformSync, version } = require('@swc/core');

/** What swc makes of TypeScript sources, kept in files between runs. */
class CompiledSources {
  #folder;
  #options;
  #keyOfOptions;

  constructor({ cacheDirectory, swc }) {
    this.#folder = join(cacheDirectory, 'sources');
    this.#options = { ...swc, swcrc: false, sourceMaps: true };
    this.#keyOfOptions = `${version} ${JSON.stringify(this.#options)}`;
    mkdirSync(this.#folder, { recursive: true });
  }

  /** The JavaScript of a source as it is now. */
  codeOf(path) {
    const source = readFileSync(path, 'utf8');
    const kept = this.#keptAt(path, source);
    try {
      return readFileSync(kept, 'utf8');
    } catch {
      const { code, map } = transformSync(source, { ...this.#options, filename: path });
      write(`${kept}.map`, map);
      write(kept, code);
      return code;
    }
  }

  /** The file with its source map. */
  mapOf(path) {
    return `${this.#keptAt(path, readFileSync(path, 'utf8'))}.map`;
  }

  #keptAt(path, source) {
    const key = createHash('sha1').update(`${this.#keyOfOptions}\0${path}\0${source}`).digest('hex');
    return join(this.#folder, `${key}.js`);
  }
}

/** Other processes may write the same file, and read it meanwhile. */
function write(file, text) {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, text);
  renameSync(draft, file);
}

module.exports = { CompiledSources };
