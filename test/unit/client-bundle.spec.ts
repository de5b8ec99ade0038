import { gzipSync } from 'node:zlib';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { bundleClient, bundleHooks, bundleSocketIoClient } from '../support/client-bundle.js';

const ROOT = join(import.meta.dirname, '../..');
const LIMIT = 11_210;

describe('the bundle of the entry ./client', () => {
  it('weighs 11,210 bytes at most, minified and compressed', async () => {
    const [ours, theirs] = await Promise.all([bundleClient(), bundleSocketIoClient()]);
    const [ourSize, theirSize] = [compressedSize(ours.text), compressedSize(theirs.text)];
    // Both figures are printed, so that whoever changes the client sees both; only ours is promised.
    process.stdout.write(
      `client: ${ourSize} bytes; socket.io-client: ${theirSize} bytes; ratio ${(ourSize / theirSize).toFixed(2)}\n`,
    );
    expect(ourSize).toBeLessThanOrEqual(LIMIT);
  });

  it('needs nothing but the client and the protocol: no package, and nothing of Node', async () => {
    const { metafile } = await bundleClient();
    const files = Object.keys(metafile.inputs);
    const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.map(({ path }) => path));
    expect(files.filter((file) => !/^lib\/(?:client|protocol)\//.test(file))).toEqual([]);
    expect(imports.filter((path) => !files.includes(path))).toEqual([]);
    expect(files.length).toBeGreaterThan(readdirSync(join(ROOT, 'lib/client')).length / 2);
  });

  it('holds nothing of the server', async () => {
    const { text } = await bundleClient();
    for (const word of ['server is shutting down', 'VALIDATION_FAILED', 'encodeWelcome'])
      expect(text).not.toContain(word);
  });
});

describe.each([
  ['react', 2_010],
  ['vue', 1_600],
] as const)('the bundle of the entry ./%s', (framework, limit) => {
  it(`weighs ${limit} bytes at most beside the framework and the client, of which it brings no second copy`, async () => {
    const { text, metafile } = await bundleHooks(framework);
    const size = compressedSize(text);
    process.stdout.write(`${framework}: ${size} bytes\n`);
    expect(size).toBeLessThanOrEqual(limit);
    const [output] = Object.values(metafile.outputs);
    expect(new Set(output?.imports.map(({ path }) => path))).toEqual(new Set([framework, '../client/index.js']));
  });
});

function compressedSize(text: string): number {
  return gzipSync(text, { level: 9 }).length;
}
