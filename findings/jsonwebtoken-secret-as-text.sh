#!/usr/bin/env bash
# One would guess: `verify(token, 'the secret')` of jsonwebtoken, HS256 and a text as every example has it, costs one HMAC: some
# microseconds. If anything has to be parsed for each call, it is the PEM text of a public key.
# What happens: each call first gives the text to OpenSSL as if it were a public key; the error of that is thrown and caught, and then the
# text is taken for a secret. That costs tens of times as much as all the rest, and more than checking an RS256 signature with a
# KeyObject. `sign` does the same. PEM text is parsed at each call, too.
# Seen with jsonwebtoken 9.0.3 (which @nestjs/jwt and passport-jwt are built on) on Node.js 20.
# For users: a server that checks a token at each connection or message gets a multiple through with a KeyObject, made once:
# `createSecretKey(Buffer.from(secret))`, `createPublicKey(pem)`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" jsonwebtoken@9.0.3 >/dev/null || exit 2
echo "jsonwebtoken $(node -p "require('$dir/node_modules/jsonwebtoken/package.json').version"), Node.js $(node --version), \
OpenSSL $(node -p process.versions.openssl)"

cat >check.mjs <<'JS'
import assert from 'node:assert/strict';
import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import jsonwebtoken from 'jsonwebtoken';

const { sign, verify } = jsonwebtoken;

/** Microseconds of a call: the best of ten rounds, since other programs only ever add to it. */
function cost(call) {
  const rounds = [];
  for (let round = 0; round < 10; round++) {
    const start = process.hrtime.bigint();
    for (let nth = 0; nth < 200; nth++) call();
    rounds.push(Number(process.hrtime.bigint() - start) / 200 / 1e3);
  }
  return Math.min(...rounds);
}

const text = 'a-secret-of-32-characters-or-more';
const secret = createSecretKey(Buffer.from(text));
const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const tokens = { HS256: sign({ sub: 'anna' }, secret) };
const costs = {
  'verify, HS256': { text: cost(() => verify(tokens.HS256, text)), key: cost(() => verify(tokens.HS256, secret)) },
  'sign, HS256': { text: cost(() => sign({ sub: 'anna' }, text)), key: cost(() => sign({ sub: 'anna' }, secret)) },
};
for (const [algorithm, { publicKey, privateKey }] of Object.entries(pairs)) {
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const token = sign({ sub: 'anna' }, privateKey, { algorithm });
  costs[`verify, ${algorithm}`] = { text: cost(() => verify(token, pem)), key: cost(() => verify(token, publicKey)) };
}
for (const [what, { text, key }] of Object.entries(costs)) {
  const times = (text / key).toFixed(1);
  console.log(`${what}: ${text.toFixed(1)} µs with the key as text, ${key.toFixed(1)} µs as a KeyObject (${times} times)`);
}
assert.ok(costs['verify, HS256'].text > 10 * costs['verify, HS256'].key);
assert.ok(costs['sign, HS256'].text > 10 * costs['sign, HS256'].key);
assert.ok(costs['verify, HS256'].text > costs['verify, RS256'].key);
JS
timeout 50 node check.mjs
echo 'As described.'
