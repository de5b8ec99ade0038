#!/usr/bin/env bash
# One would guess: checking an HS256 token takes some microseconds of the event loop, and `await jwtVerify(…)` is there in the same turn,
# whatever else the process does.
# What happens: jose uses WebCrypto, and Node.js runs each job of that, be it an HMAC of 60 bytes, in libuv's thread pool, first come,
# first served. While four passwords are hashed there (bcrypt, scrypt; or files read, names looked up, data compressed), each token waits
# for a thread, with an idle event loop. jsonwebtoken does it in place, also where it takes a callback.
# Seen with jose 6.2.18 and jsonwebtoken 9.0.3 on Node.js 20.
# For users: after a deploy, clients with tokens that come back wait behind people who log in. UV_THREADPOOL_SIZE divides it, and
# keys with HMAC can be checked by jsonwebtoken or `crypto.createHmac` in microseconds.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" jose@6.2.18 jsonwebtoken@9.0.3 >/dev/null || exit 2
echo "jose $(node -p "require('$dir/node_modules/jose/package.json').version"), jsonwebtoken \
$(node -p "require('$dir/node_modules/jsonwebtoken/package.json').version"), Node.js $(node --version)"

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { createSecretKey, scrypt } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';

const key = createSecretKey(Buffer.alloc(32, 7));
const token = jsonwebtoken.sign({ sub: 'anna' }, key);
const verifiers = {
  jose: () => jwtVerify(token, key),
  jsonwebtoken: () => promisify(jsonwebtoken.verify)(token, key),
};

/** How long a token takes: of so many, the one in the middle. */
async function milliseconds(verify, times) {
  const all = [];
  for (let nth = 0; nth < times; nth++) {
    const start = performance.now();
    await verify();
    all.push(performance.now() - start);
  }
  return all.sort((a, b) => a - b)[Math.floor(times / 2)];
}

for (const verify of Object.values(verifiers)) await milliseconds(verify, 50);
const idle = {};
for (const [name, verify] of Object.entries(verifiers)) idle[name] = await milliseconds(verify, 11);
const hashes = Array.from({ length: 4 }, () => promisify(scrypt)('password', 'salt', 64, { N: 2 ** 16, maxmem: 1e9 }));
await wait(10);
const loop = performance.eventLoopUtilization();
const busy = {};
for (const name of ['jsonwebtoken', 'jose']) busy[name] = await milliseconds(verifiers[name], 1);
const { utilization } = performance.eventLoopUtilization(loop);
await Promise.all(hashes);
for (const name of Object.keys(verifiers)) {
  console.log(`${name}: ${idle[name].toFixed(2)} ms, and ${busy[name].toFixed(2)} ms while four passwords are hashed`);
}
console.log(`the event loop was busy for ${Math.round(utilization * 100)} % of that time`);
assert.ok(busy.jose > 50 * Math.max(idle.jose, 0.2), 'jose does not wait any more');
assert.ok(busy.jsonwebtoken < busy.jose / 5);
JS
UV_THREADPOOL_SIZE=4 timeout 40 node check.mjs
echo 'As described.'
