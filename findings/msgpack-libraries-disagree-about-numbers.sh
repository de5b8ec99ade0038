#!/usr/bin/env bash
# One would guess: MessagePack is one format, so an object of plain numbers and `undefined` written by one of the two
# usual JavaScript libraries is read by the other as it was.
# What happens: @msgpack/msgpack writes a whole number beyond 32 bits, every `Date.now()`, as a 64-bit integer, and
# msgpackr reads that as a BigInt: `at - 1` and `JSON.stringify` throw, `===` is false. msgpackr writes the same number
# as a float, so the way back works, and so does each library with itself. `undefined` written by msgpackr is an
# extension that @msgpack/msgpack hands out as an `ExtData` object, which is truthy.
# Seen with @msgpack/msgpack 3.1.3 and msgpackr 2.1.4.
# For users: a client with one library and a server with the other work until the first timestamp. On msgpackr's side
# `int64AsType: 'auto'` mends the numbers, with `useRecords: false`, since a Packr of one's own otherwise reads the
# other library's objects as `Map`. Fields that are undefined have to be left out.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" @msgpack/msgpack@3.1.3 msgpackr@2.1.4 >/dev/null || exit 2
echo "@msgpack/msgpack 3.1.3, msgpackr 2.1.4, Node.js $(node --version)"

node --input-type=module <<'NODE'
import assert from 'node:assert/strict';
import { decode, encode } from '@msgpack/msgpack';
import { pack, Packr, unpack } from 'msgpackr';

const at = 1_800_000_000_000;
const own = new Packr();
const tolerant = new Packr({ int64AsType: 'auto', useRecords: false });
const attempt = (run) => {
  try {
    return run();
  } catch (error) {
    return error.constructor.name;
  }
};
const forth = unpack(encode({ at }));
const kinds = {
  'msgpackr → msgpackr': typeof unpack(pack({ at })).at,
  '@msgpack → @msgpack': typeof decode(encode({ at })).at,
  'msgpackr → @msgpack': typeof decode(pack({ at })).at,
  '@msgpack → msgpackr': typeof forth.at,
  "@msgpack → msgpackr with int64AsType: 'auto'": typeof tolerant.unpack(encode({ at })).at,
};
console.log('a millisecond timestamp arrives as', kinds);
const uses = {
  'at - 1': attempt(() => forth.at - 1),
  'JSON.stringify': attempt(() => JSON.stringify(forth)),
  'at === sent': forth.at === at,
};
console.log('and then', uses);
const largest = unpack(encode([2 ** 32 - 1, 2 ** 32])).map((value) => typeof value);
console.log('4294967295 and 4294967296 arrive as', largest);
const missing = decode(pack({ missing: undefined })).missing;
console.log('undefined, msgpackr → @msgpack:', missing);
const object = own.unpack(encode({ at })).constructor.name;
console.log('an object, @msgpack → new Packr():', object);

const expected = ['number', 'number', 'number', 'bigint', 'number'];
assert.deepEqual(Object.values(kinds), expected, 'changed: the kinds of number');
assert.deepEqual(Object.values(uses), ['TypeError', 'TypeError', false], 'changed: what can be done with it');
assert.deepEqual(largest, ['number', 'bigint'], 'changed: the limit');
assert.equal(missing?.constructor.name, 'ExtData', 'changed: undefined');
assert.equal(object, 'Map', 'changed: objects');
console.log('As described.');
NODE
