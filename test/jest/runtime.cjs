const { register } = require('node:module');
const { fileURLToPath, pathToFileURL } = require('node:url');
const { CompiledSources } = require('./compiled-sources.cjs');

const JEST_GLOBALS = Symbol.for('pxl.jest-globals');
const TEST_TIMEOUT = Symbol.for('TEST_TIMEOUT_SYMBOL');

let sources;
let filesSoFar = 0;

/**
 * Loads spec files as Node itself loads modules: Jest's own way, with a context for each file, loads Nest, ioredis and the
 * library anew for every one, which took more of the machine than all tests. Here a process loads packages and `lib` once,
 * and only what lies in `test` for each file (module-hooks.mjs).
 */
module.exports = class NativeRuntime {
  #environment;
  #file = (filesSoFar += 1);

  constructor(config, environment, _resolver, _transformer, _cacheFS, _coverage, _testPath, globalConfig) {
    this.#environment = environment;
    if (sources) return;
    const { rootDir, cacheDirectory, transform } = config;
    const compiler = { cacheDirectory, swc: transform[0][2] };
    sources = new CompiledSources(compiler);
    const isWatching = globalConfig.watch || globalConfig.watchAll;
    register('./module-hooks.mjs', { parentURL: pathToFileURL(__filename), data: { rootDir, compiler, isWatching } });
  }

  setGlobalsForRuntime(globals) {
    const { moduleMocker } = this.#environment;
    const jest = {
      fn: moduleMocker.fn.bind(moduleMocker),
      spyOn: moduleMocker.spyOn.bind(moduleMocker),
      restoreAllMocks: () => moduleMocker.restoreAllMocks(),
      setTimeout: (timeout) => (globalThis[TEST_TIMEOUT] = timeout),
    };
    globalThis[JEST_GLOBALS] = { ...globals, jest };
  }

  /** What Jest loads for each file: its tests, hooks and events are kept in the module's own state. */
  requireInternalModule(path) {
    delete require.cache[path];
    return require(path);
  }

  requireModule(path) {
    return require(path);
  }

  unstable_shouldLoadAsEsm() {
    return true;
  }

  unstable_importModule(path) {
    return import(`${pathToFileURL(path)}?file=${this.#file}`);
  }

  getSourceMaps() {
    return new SourceMaps();
  }

  enterTestCode() {}
  leaveTestCode() {}

  getAllCoverageInfoCopy() {}

  teardown() {
    this.#environment.moduleMocker.restoreAllMocks();
    delete globalThis[JEST_GLOBALS];
    delete globalThis[TEST_TIMEOUT];
  }
};

/** By the URL of a loaded module the file with its source map. */
class SourceMaps extends Map {
  get(url) {
    return /^file:.*\.ts(\?|$)/.test(url) ? sources.mapOf(fileURLToPath(url)) : undefined;
  }
}
