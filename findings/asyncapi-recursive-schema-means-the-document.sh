#!/usr/bin/env bash
# One would guess: the JSON Schema that a schema library writes for a type can be put into an AsyncAPI document as a
# message's payload; and if a reference in it points at the wrong place, the AsyncAPI parser says so.
# What happens: for a type that contains itself, zod writes `{ "$ref": "#" }`, the root of the schema. Inside the
# document `#` is the root of the document. The parser reports no error and resolves the reference, so that the children
# of a tree node are AsyncAPI documents. Declaring the payload's format (`application/schema+json`) changes nothing.
# valibot and arktype write `#/$defs/…` and `#/definitions/…` for the same type, which the parser at least refuses.
# Seen with @asyncapi/parser 3.6.6, zod 4.6.7, valibot 1.5.0, @valibot/to-json-schema 1.8.0 and arktype 2.2.10.
# For users: generators and documentation built from such a document show the wrong type without a word. Rewrite the
# references when a schema is put into a document, for instance to `#/components/schemas/Name`, as the script does.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" \
  @asyncapi/parser@3.6.6 zod@4.6.7 valibot@1.5.0 @valibot/to-json-schema@1.8.0 arktype@2.2.10 >/dev/null || exit 2
echo "@asyncapi/parser 3.6.6, zod 4.6.7, valibot 1.5.0, arktype 2.2.10, Node.js $(node --version)"

node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { Parser } from '@asyncapi/parser';
import { toStandardJsonSchema } from '@valibot/to-json-schema';
import { scope } from 'arktype';
import * as valibot from 'valibot';
import { z } from 'zod';

const zodNode = z.object({
  name: z.string(),
  get children() {
    return z.array(zodNode);
  },
});
const children = valibot.array(valibot.lazy(() => valibotNode));
const valibotNode = valibot.object({ name: valibot.string(), children });
const arktypeNode = scope({ node: { name: 'string', children: 'node[]' } }).export().node;
const write = (schema) => schema['~standard'].jsonSchema.input({ target: 'draft-07' });

// What the parser makes of a message with this payload: its errors, or the properties of a child.
async function childOf(payload, schemas = {}) {
  const { document, diagnostics } = await new Parser().parse({
    asyncapi: '3.0.0',
    info: { title: 'Trees', version: '1.0.0' },
    channels: { trees: { address: '/', messages: { tree: { payload } } } },
    components: { schemas },
  });
  if (document === undefined) return diagnostics.filter(({ severity }) => severity === 0).map(({ message }) => message);
  const schema = document.channels()[0].messages()[0].payload();
  const child = schema.property('children').items().json();
  return Object.keys(child.properties ?? child).filter((key) => !key.startsWith('x-'));
}
const schema = write(zodNode);
const declared = { schemaFormat: 'application/schema+json;version=draft-07', schema };
const named = JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#"', '"$ref":"#/components/schemas/Node"'));
const seen = {
  'zod: a child has': await childOf(schema),
  'zod, format declared: a child has': await childOf(declared),
  'zod, references rewritten: a child has': await childOf({ $ref: '#/components/schemas/Node' }, { Node: named }),
  'valibot: error': await childOf(write(toStandardJsonSchema(valibotNode))),
  'arktype: error': await childOf(write(arktypeNode)),
};
for (const [title, words] of Object.entries(seen)) console.log(`${title} ${words.join(', ')}`);

const [plain, withFormat, rewritten, byValibot, byArktype] = Object.values(seen);
assert.ok(plain.includes('asyncapi') && withFormat.includes('asyncapi'), 'changed: `#` is no longer the document');
assert.deepEqual(rewritten, ['name', 'children'], 'changed: rewriting no longer helps');
assert.match(byValibot.join(), /does not exist/, 'changed: valibot');
assert.match(byArktype.join(), /does not exist/, 'changed: arktype');
console.log('As described.');
NODE
