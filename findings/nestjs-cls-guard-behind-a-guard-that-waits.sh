#!/usr/bin/env bash
# One would guess: with `ClsModule.forRoot({ guard: { mount: true } })` every handler has its context, wherever the guard
# stands among the guards of the application, since Nest runs all guards before the handler.
# What happens: behind an app-wide guard that waits for something, as ThrottlerGuard does, the handler has none:
# `cls.isActive()` is false. The guard enters its context with `AsyncLocalStorage.enterWith`, which reaches the handler only
# while nothing has been awaited before it. The order of `imports` decides. The mount as an interceptor is not affected.
# Seen with nestjs-cls 6.3.1, @nestjs/throttler 6.7.1 and Nest 12.5.1 on Node.js 20, for a plain HTTP request.
# For users: import ClsModule before the modules of other app-wide guards, or mount it as an interceptor.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --legacy-peer-deps --prefix "$dir" nestjs-cls@6.3.1 @nestjs/throttler@6.7.1 @nestjs/common@12.5.1 \
  @nestjs/core@12.5.1 @nestjs/platform-express@12.5.1 reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null || exit 2
echo "nestjs-cls 6.3.1, @nestjs/throttler 6.7.1, Nest 12.5.1, Node.js $(node --version)"

cat >app.mjs <<'JS'
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import { ClsModule, ClsServiceManager } from 'nestjs-cls';

class Page {
  get() {
    return ClsServiceManager.getClsService().isActive();
  }
}
Get()(Page.prototype, 'get', Object.getOwnPropertyDescriptor(Page.prototype, 'get'));
Controller()(Page);

class Throttled {}
Module({
  imports: [ThrottlerModule.forRoot([{ limit: 100, ttl: 60_000 }])],
  providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
})(Throttled);

const isActive = async (imports) => {
  class App {}
  Module({ imports, controllers: [Page] })(App);
  const app = await NestFactory.create(App, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const answer = await (await fetch(`http://127.0.0.1:${app.getHttpServer().address().port}/`)).text();
  await app.close();
  return answer;
};
const cls = (mount) => ClsModule.forRoot({ global: true, [mount]: { mount: true } });
console.log('guard, imported before the throttler:', await isActive([cls('guard'), Throttled]));
console.log('guard, imported behind the throttler:', await isActive([Throttled, cls('guard')]));
console.log('interceptor, imported behind the throttler:', await isActive([Throttled, cls('interceptor')]));
JS
seen=$(timeout 60 node app.mjs) || exit 2
echo "$seen"
expected='guard, imported before the throttler: true
guard, imported behind the throttler: false
interceptor, imported behind the throttler: true'
[ "$seen" = "$expected" ] || { echo 'changed'; exit 1; }
echo 'As described.'
