#!/usr/bin/env bash
# One would guess: an error of a JSON Web Token library tells by its name, or its code, whether the token is bad or the keys
# to check it with could not be fetched; so that an outage of the key server is not taken for a forged token.
# What happens: jsonwebtoken calls both JsonWebTokenError, and keeps of what the fetch of the key failed with nothing but its
# sentence, behind one of its own. jwks-rsa's own class for an unknown key is lost on that way too. jose has codes, but none
# for a key server that answers 503 or something else than JSON: that is ERR_JOSE_GENERIC, and only a timeout has a code.
# Seen with jsonwebtoken 9.0.3, jwks-rsa 4.1.0 and jose 6.2.18.
# For users: log nobody out by `error.name === 'JsonWebTokenError'` alone; read the sentence as well, or fetch the key before
# `verify` and catch what that throws. With jose, take the codes that speak of the token and nothing else for a refusal.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" jsonwebtoken@9.0.3 jwks-rsa@4.1.0 jose@6.2.18 >/dev/null || exit 2
echo "jsonwebtoken 9.0.3, jwks-rsa 4.1.0, jose 6.2.18, Node.js $(node --version)"

cat >show.mjs <<'NODE'
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import jwt from 'jsonwebtoken';
import { JwksClient } from 'jwks-rsa';

setTimeout(() => assert.fail('not finished within a minute'), 60_000).unref();
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const token = jwt.sign({ sub: 'ada' }, privateKey, { algorithm: 'RS256', keyid: 'one' });
const tampered = `${token.slice(0, -6)}AAAAAA`;

/** A key server: what it answers with. */
let status = 200;
let body = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'another', use: 'sig', alg: 'RS256' }] });
const server = createServer((_request, response) => response.writeHead(status).end(body)).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}/keys`;

const errorOf = (key) =>
  new Promise((resolve) => jwt.verify(token, (header, done) => key(header, done), {}, (error) => resolve(error)));
const show = (what, { name, code, message }) => console.log(`${what}: ${name}${code ? ` ${code}` : ''}: ${message}`);

const bad = await new Promise((resolve) => jwt.verify(tampered, publicKey, resolve));
show('jsonwebtoken, a tampered token', bad);
const away = await errorOf((_header, done) => done(new TypeError('socket hang up')));
show('jsonwebtoken, the fetch of the key failed', away);
assert.equal(away.name, bad.name);
assert.match(away.message, /^error in secret or public key callback: socket hang up$/);
assert.equal(away.cause, undefined);

const keys = () => new JwksClient({ jwksUri: url, cache: false });
const failureOf = (work) => work.then(() => assert.fail('it did not fail'), (error) => error);
const own = await failureOf(keys().getSigningKey('one'));
show('jwks-rsa, no such key', own);
assert.equal(own.name, 'SigningKeyNotFoundError');
const passedOn = await errorOf((header, done) =>
  keys()
    .getSigningKey(header.kid)
    .then((key) => done(null, key.getPublicKey()), done),
);
show('the same by way of jsonwebtoken', passedOn);
assert.equal(passedOn.name, 'JsonWebTokenError');

for (const [what, answered, said] of [
  ['503', 503, 'busy'],
  ['no JSON', 200, '<html>'],
]) {
  [status, body] = [answered, said];
  const error = await failureOf(jwtVerify(token, createRemoteJWKSet(new URL(url))));
  show(`jose, the key server answers ${what}`, error);
  assert.equal(error.code, 'ERR_JOSE_GENERIC');
}
server.close();
NODE
if node show.mjs; then
  echo 'As described: an outage of the key server cannot be told from a bad token by name or code.'
else
  echo 'The behaviour has changed.'
  exit 1
fi
