#!/usr/bin/env bash
# One would guess: nothing runs before an Observable is subscribed, so an interceptor gives the handler its AsyncLocalStorage by
# subscribing inside it: `const handled = next.handle(); new Observable((s) => storage.run(value, () => handled.subscribe(s)))`.
# What happens: the handler runs outside. `next.handle()` keeps the async context in which it is *called*, and the
# subscription enters that again, whatever the context is by then.
# Seen with Nest 12.5.1 and 11.1.29, for a plain HTTP request.
# For users: call `next.handle()` inside the context (`storage.run(value, () => next.handle())`); where it is subscribed does
# not matter.
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
import { AsyncLocalStorage } from 'node:async_hooks';
import { Controller, Get, Module, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Observable } from 'rxjs';

const storage = new AsyncLocalStorage();
const interceptors = {
  'handle() before, subscribed inside': (next) => {
    const handled = next.handle();
    return new Observable((subscriber) => storage.run('inside', () => handled.subscribe(subscriber)));
  },
  'handle() and subscribed inside': (next) =>
    new Observable((subscriber) => storage.run('inside', () => next.handle().subscribe(subscriber))),
  'handle() inside, subscribed later': (next) => storage.run('inside', () => next.handle()),
};
const titles = Object.keys(interceptors);

class Pages {}
titles.forEach((title, index) => {
  const name = `page${index}`;
  Object.defineProperty(Pages.prototype, name, { value: () => storage.getStore() ?? 'outside' });
  const descriptor = Object.getOwnPropertyDescriptor(Pages.prototype, name);
  Get(name)(Pages.prototype, name, descriptor);
  UseInterceptors({ intercept: (_context, next) => interceptors[title](next) })(Pages.prototype, name, descriptor);
});
Controller()(Pages);
class App {}
Module({ controllers: [Pages] })(App);

const app = await NestFactory.create(App, { logger: ['error'] });
await app.listen(0, '127.0.0.1');
for (const [index, title] of titles.entries()) {
  const response = await fetch(`http://127.0.0.1:${app.getHttpServer().address().port}/page${index}`);
  console.log(`${title}: ${await response.text()}`);
}
process.exit(0);
JS
expected='handle() before, subscribed inside: outside
handle() and subscribed inside: inside
handle() inside, subscribed later: inside'
for nest in 11.1.29 12.5.1; do
  cp app.mjs "$nest/"
  echo "Nest $nest, Node.js $(node --version)"
  seen=$(cd "$nest" && timeout 60 node app.mjs) || exit 2
  echo "$seen"
  [ "$seen" = "$expected" ] || { echo 'changed'; exit 1; }
done
echo 'As described.'
