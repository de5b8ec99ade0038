import { availableParallelism } from 'node:os';

/** `PXL_NEST=11.2` runs the specs on another version of Nest, one of the folders in test/nest. */
const { PXL_NEST } = process.env;
const NEST_OF_THE_RUN = PXL_NEST
  ? { '^@nestjs/([^/]+)(.*)$': [`<rootDir>/test/nest/${PXL_NEST}/node_modules/@nestjs/$1$2`, '@nestjs/$1$2'] }
  : {};

/** Jest runs the TypeScript sources as ES modules; swc compiles them with decorator metadata. */
export default {
  rootDir: import.meta.dirname,
  testMatch: ['<rootDir>/test/**/*.spec.ts'],
  // They have packages of their own: test/neighbours/run.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/neighbours/'],
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: {
    ...NEST_OF_THE_RUN,
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
  testTimeout: 30_000,
  // Most of the time the tests wait, so three go on well together on two cores; but some start whole clusters.
  maxWorkers: Math.max(3, Math.floor(availableParallelism() / 2)),
  // ES modules of a finished file are never let go of: a process that has run fifty files is ten times slower.
  workerIdleMemoryLimit: '700MB',
};
