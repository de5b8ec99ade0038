import { gzipSync } from 'node:zlib';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { bundleClient } from '../support/client-bundle.js';

const ROOT = join(import.meta.dirname, '../..');
const LIMIT = 8.25 * 1_024;

describe('the bundle of the entry ./client', () => {
  it('weighs 8.25 KB at most, minified and compressed', async () => {
    const { text } = await bundleClient();
    expect(gzipSync(text, { level: 9 }).length).toBeLessThanOrEqual(LIMIT);
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
