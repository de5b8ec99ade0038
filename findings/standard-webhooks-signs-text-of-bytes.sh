#!/usr/bin/env bash
# One would guess: `sign` and `verify` of the npm packages of Standard Webhooks and Svix, which take a `string` or a `Buffer`, make the
# HMAC of the buffer's bytes, and with `format: 'raw'` take a secret that is a text as its UTF-8: as the specification's other
# libraries, `node:crypto` and `openssl dgst -hmac` do.
# What happens: a buffer is turned into text first, so each byte that is no UTF-8 becomes another character (three bytes) before the
# HMAC. And of each character of a secret the lower eight bits are taken: ü is one byte, of Cyrillic letters half is left.
# Seen with standardwebhooks 1.1.1 and svix 1.99.1. Bodies that are UTF-8, and secrets in base64 or ASCII, are as one would guess.
# For users: a body that is compressed, MessagePack, Protobuf or Latin-1 is refused with `No matching signature found` though it is signed
# rightly, and one signed by them is refused by everybody else. Sign the base64 of such a body, or compute the HMAC yourself; give
# `raw` secrets as bytes (`Buffer.from(secret)`).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
npm install --loglevel=error --prefix "$dir" standardwebhooks@1.1.1 svix@1.99.1 >/dev/null || exit 2
cd "$dir"
echo "standardwebhooks 1.1.1, svix 1.99.1, Node.js $(node --version)"

cat >check.cjs <<'JS'
const { createHmac } = require('node:crypto');
const { gzipSync } = require('node:zlib');
const libraries = { standardwebhooks: require('standardwebhooks').Webhook, svix: require('svix').Webhook };

const at = new Date(Math.floor(Date.now() / 1_000) * 1_000);
const byHand = (key, body) =>
  `v1,${createHmac('sha256', key).update(`msg_1.${at.getTime() / 1_000}.`).update(body).digest('base64')}`;

/** Whether both agree about who has signed. */
function agree(Webhook, secret, body) {
  const webhook = new Webhook(secret, { format: 'raw' });
  const signature = byHand(secret, body);
  const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(at.getTime() / 1_000), 'webhook-signature': signature };
  let verified = true;
  try {
    webhook.verify(body, headers);
  } catch (error) {
    if (error.message !== 'No matching signature found') throw error;
    verified = false;
  }
  return { 'signs alike': webhook.sign('msg_1', at, body) === signature, verifies: verified };
}

const text = Buffer.from('{"name":"Zoë"}');
const cases = {
  'UTF-8, ASCII secret': ['secret', text],
  'gzip, ASCII secret': ['secret', gzipSync(text)],
  'UTF-8, secret with ü': ['schlüssel', text],
  'UTF-8, that secret as bytes': [Buffer.from('schlüssel'), text],
};
const seen = {};
for (const [name, Webhook] of Object.entries(libraries)) {
  for (const [title, [secret, body]] of Object.entries(cases)) seen[`${name}: ${title}`] = agree(Webhook, secret, body);
}
console.table(seen);
const outcome = Object.values(seen).map((row) => `${row['signs alike']} ${row.verifies}`);
const expected = ['true true', 'false false', 'false false', 'true true'];
process.exit(outcome.join() === [...expected, ...expected].join() ? 0 : 1);
JS
if node check.cjs; then
  echo 'As described.'
else
  echo 'It has changed.'
  exit 1
fi
