import { availableParallelism } from 'node:os';

/** Node runs the TypeScript sources as ES modules (test/jest); swc compiles them with decorator metadata. */
export default {
  rootDir: import.meta.dirname,
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  // They have packages of their own: test/neighbours/run.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/neighbours/'],
  testEnvironment: '<rootDir>/test/jest/environment.cjs',
  runtime: '<rootDir>/test/jest/runtime.cjs',
  injectGlobals: false,
  testSequencer: '<rootDir>/test/jest/sequencer.cjs',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  extensionsToTreatAsEsm: ['.ts'],
  // By this --findRelatedTests and --onlyChanged follow imports; module-hooks.mjs resolves those of a run.
  moduleNameMapper: {
    '^nestjs-pxl-websocket$': '<rootDir>/lib/index.ts',
    '^nestjs-pxl-websocket/client/browser$': '<rootDir>/dist/client/browser.js',
    '^nestjs-pxl-websocket/(.+)$': '<rootDir>/lib/$1/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          target: 'es2022',
          keepClassNames: true,
        },
        module: { type: 'es6' },
        sourceMaps: true,
      },
    ],
  },
  testTimeout: 60_000,
  // Most of the time the tests wait, so three go on well together on two cores; but some start whole clusters.
  maxWorkers: Math.max(3, Math.floor(availableParallelism() / 2)),
  // ES modules of a finished file are never let go of.
  workerIdleMemoryLimit: '700MB',
};
