#!/usr/bin/env bash
# One would guess: `@Param('id', { pipes: [ParseIntPipe] })`, which Nest 12 takes, either works on Nest 11 or fails there.
# What happens: on Nest 11 no pipe runs and nothing is said. The object is taken for a pipe, and as it has no `transform` it is
# left out: the handler gets a text, and what ParseIntPipe would have refused as well.
# Seen with Nest 11.1.29 and 12.5.1.
# For users: TypeScript refuses the form against Nest 11's own types, but JavaScript, and a library that was compiled for Nest 12
# and allows 11 as a peer, run without the check. `@Param('id', ParseIntPipe)` works on both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
for nest in 11.1.29 12.5.1; do
  mkdir "$nest"
  (
    cd "$nest"
    npm init --yes >/dev/null
    npm install --loglevel=error --no-audit --no-fund "@nestjs/common@$nest" "@nestjs/core@$nest" \
      "@nestjs/platform-express@$nest" reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null
  ) || exit 2
done

cat >app.mjs <<'JS'
import 'reflect-metadata';
import { Controller, Get, Module, Param, ParseIntPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

class Pages {
  options(id) {
    return `${typeof id} ${id}`;
  }
  positional(id) {
    return `${typeof id} ${id}`;
  }
}
Param('id', { pipes: [ParseIntPipe] })(Pages.prototype, 'options', 0);
Param('id', ParseIntPipe)(Pages.prototype, 'positional', 0);
for (const name of ['options', 'positional'])
  Get(`${name}/:id`)(Pages.prototype, name, Object.getOwnPropertyDescriptor(Pages.prototype, name));
Controller()(Pages);
class App {}
Module({ controllers: [Pages] })(App);

const app = await NestFactory.create(App, { logger: ['error', 'warn'] });
await app.listen(0, '127.0.0.1');
for (const path of ['options/5', 'options/x', 'positional/5', 'positional/x']) {
  const response = await fetch(`http://127.0.0.1:${app.getHttpServer().address().port}/${path}`);
  console.log(`${path}: ${response.status === 200 ? await response.text() : response.status}`);
}
process.exit(0);
JS
tell() {
  cp app.mjs "$1/"
  (cd "$1" && timeout 60 node app.mjs)
}
old=$(tell 11.1.29) || exit 2
new=$(tell 12.5.1) || exit 2
echo "Node.js $(node --version)"
printf 'Nest 11.1.29\n%s\nNest 12.5.1\n%s\n' "$old" "$new"
positional='positional/5: number 5
positional/x: 400'
[ "$old" = "options/5: string 5
options/x: string x
$positional" ] || { echo 'changed: Nest 11'; exit 1; }
[ "$new" = "options/5: number 5
options/x: 400
$positional" ] || { echo 'changed: Nest 12'; exit 1; }
echo 'As described.'
