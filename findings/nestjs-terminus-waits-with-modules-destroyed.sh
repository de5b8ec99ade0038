#!/usr/bin/env bash
# One would guess: with `gracefulShutdownTimeoutMs` of @nestjs/terminus an application goes on as it was for that long after SIGTERM, so that
# the requests which a load balancer still sends are answered ("zero downtime", it was described as), and begins to stop after it.
# What happens: it waits in `beforeApplicationShutdown`. Nest calls `onModuleDestroy` of all providers before that, and awaits it. So the
# port is open and requests are taken for all that time, by an application whose database clients, caches and queues have been closed at the
# beginning of it, as far as they are closed in that hook.
# Seen with @nestjs/terminus 12.1.0 and Nest 12.5.1. The health check does answer 503 (`shutting_down`) from the start of the wait.
# For users: the longer the wait that should spare clients an error, the more requests fail with 500, until the balancer has heard of it.
# Close what requests need in `onApplicationShutdown`, which comes after the server has been closed; or wait before `app.close()` is
# called: a `preStop` of Kubernetes, or a signal handler of your own in place of `enableShutdownHooks`.
set -euo pipefail
command -v curl >/dev/null || { echo 'curl has to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'kill "${pid:-}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
npm install --loglevel=error --prefix "$dir" @nestjs/core@12.5.1 @nestjs/common@12.5.1 @nestjs/platform-express@12.5.1 \
  @nestjs/terminus@12.1.0 reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null || exit 2
cd "$dir"
echo "@nestjs/terminus 12.1.0, Nest 12.5.1, Node.js $(node --version)"

cat >app.mjs <<'JS'
import 'reflect-metadata';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';

/** A client of a database, closed in the hook of that name. */
class Database {
  isOpen = true;
  constructor(hook) {
    this[hook] = () => void (this.isOpen = false);
  }
}

class Orders {
  constructor(database, health) {
    Object.assign(this, { database, health });
  }
  list() {
    if (!this.database.isOpen) throw new Error('The database client is closed.');
    return [];
  }
  check() {
    return this.health.check([]);
  }
}
Controller()(Orders);
Inject(Database)(Orders, undefined, 0);
Inject(HealthCheckService)(Orders, undefined, 1);
for (const [path, method] of [['orders', 'list'], ['health', 'check']]) {
  Get(path)(Orders.prototype, method, Object.getOwnPropertyDescriptor(Orders.prototype, method));
}

class AppModule {}
Module({
  imports: [TerminusModule.forRoot({ logger: false, gracefulShutdownTimeoutMs: 3_000 })],
  controllers: [Orders],
  providers: [{ provide: Database, useValue: new Database(process.argv[2]) }],
})(AppModule);

const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
console.log(app.getHttpServer().address().port);
JS

# What the application answers before SIGTERM and a second after it.
answers() {
  node app.mjs "$1" >port &
  pid=$!
  until [ -s port ]; do kill -0 "$pid" || exit 2; sleep 0.1; done
  local url
  url="http://127.0.0.1:$(cat port)"
  ask() { curl -s -o /dev/null -w '%{http_code}' "$url/$1"; }
  printf 'before: orders %s, health %s; ' "$(ask orders)" "$(ask health)"
  kill -TERM "$pid"
  sleep 1
  printf 'a second after SIGTERM: orders %s, health %s' "$(ask orders)" "$(ask health)"
  wait "$pid" || true
  : >port
}
: >port
early=$(answers onModuleDestroy)
late=$(answers onApplicationShutdown)
echo "closed in onModuleDestroy:       $early"
echo "closed in onApplicationShutdown: $late"
if [[ "$early" == *'before: orders 200, health 200; a second after SIGTERM: orders 500, health 503' &&
  "$late" == *'before: orders 200, health 200; a second after SIGTERM: orders 200, health 503' ]]; then
  echo 'As described.'
else
  echo 'It has changed.'
  exit 1
fi
