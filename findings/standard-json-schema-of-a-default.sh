#!/usr/bin/env bash
# One would guess: `~standard.jsonSchema`, the common interface of zod, valibot and arktype, gives the same JSON Schema
# for the same small object, so that documents and clients can be generated without asking which library wrote it.
# What happens, for one number with a default of 10: zod and arktype say that the output always has the field, valibot
# says it may be missing. arktype leaves the default out, zod alone forbids other fields in the output. A target that
# does not exist is an error for valibot and arktype, while zod answers as if nothing were wrong. And `input()` without
# an argument works with zod alone.
# Seen with zod 4.6.7, valibot 1.5.0 with @valibot/to-json-schema 1.8.0, and arktype 2.2.10.
# For users: types generated from the output schema get an optional field from one library and a required one from
# another. Pass the target always, and write no test that expects the same document of two libraries.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" \
  zod@4.6.7 valibot@1.5.0 @valibot/to-json-schema@1.8.0 arktype@2.2.10 >/dev/null || exit 2
echo "zod 4.6.7, valibot 1.5.0, @valibot/to-json-schema 1.8.0, arktype 2.2.10, Node.js $(node --version)"

node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { type } from 'arktype';
import * as valibot from 'valibot';
import { z } from 'zod';

const schemas = {
  zod: z.object({ limit: z.number().default(10) }),
  valibot: toStandardJsonSchema(valibot.object({ limit: valibot.optional(valibot.number(), 10) })),
  arktype: type({ limit: 'number = 10' }),
};
const attempt = (run) => {
  try {
    run();
    return 'an answer';
  } catch {
    return 'an error';
  }
};
const seen = {};
for (const [name, schema] of Object.entries(schemas)) {
  const { validate, jsonSchema } = schema['~standard'];
  assert.deepEqual((await validate({})).value, { limit: 10 }, `${name} fills the default in`);
  const output = jsonSchema.output({ target: 'draft-07' });
  seen[name] = {
    'output requires it': output.required?.includes('limit') ?? false,
    'output allows others': output.additionalProperties !== false,
    'default told': jsonSchema.input({ target: 'draft-07' }).properties.limit.default === 10,
    'unknown target': attempt(() => jsonSchema.input({ target: 'draft-99' })),
    'no argument': attempt(() => jsonSchema.input()),
  };
}
console.table(seen);
assert.deepEqual(
  Object.values(seen).map((row) => Object.values(row)),
  [
    [true, false, true, 'an answer', 'an answer'],
    [false, true, true, 'an error', 'an error'],
    [true, true, false, 'an error', 'an error'],
  ],
  'changed: the three answers',
);
console.log('As described.');
NODE
