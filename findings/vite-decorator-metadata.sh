#!/usr/bin/env bash
# One would guess: Vite, and Vitest on it, write no decorator metadata, whatever tsconfig.json says, since esbuild never
# does; and a Nest application whose metadata is missing fails when it starts.
# What happens: Vite 7 writes none. Vite 8 writes it where tsconfig.json has `emitDecoratorMetadata`. Without it Nest
# starts without an error, and injects undefined: a class without `design:paramtypes` looks like one without dependencies.
# Seen with Vite 7.3.8 and 8.4.0, @nestjs/core 12.5.1.
# For users: a test that passes on Vite 8 fails on Vite 7 with `Cannot read properties of undefined`, in the first method
# that uses a dependency. There a plugin has to compile the decorators (unplugin-swc); on Vite 8 none is needed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

cat >tsconfig.json <<'JSON'
{ "compilerOptions": { "target": "ES2022", "experimentalDecorators": true, "emitDecoratorMetadata": true } }
JSON
cat >app.ts <<'TS'
import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';

@Injectable()
class Clock {}

@Injectable()
export class Diary {
  constructor(readonly clock: Clock) {}
}

@Module({ providers: [Clock, Diary] })
export class AppModule {}
TS
cat >run.mjs <<'NODE'
import { NestFactory } from '@nestjs/core';
import { createServer } from 'vite';

const server = await createServer({ logLevel: 'error', server: { middlewareMode: true, ws: false }, appType: 'custom' });
const { AppModule, Diary } = await server.ssrLoadModule('/app.ts');
const app = await NestFactory.createApplicationContext(AppModule, { logger: false, abortOnError: false });
console.log(app.get(Diary).clock === undefined ? 'starts, and injects undefined' : 'injects the dependency');
await app.close();
await server.close();
NODE

seen=''
for version in 7.3.8 8.4.0; do
  npm install --loglevel=error --prefix "$dir" "vite@$version" @nestjs/common@12.5.1 @nestjs/core@12.5.1 \
    reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null || exit 2
  answer=$(node run.mjs) || exit 1
  echo "Vite $version, @nestjs/core 12.5.1, Node.js $(node --version): $answer"
  seen="$seen$version $answer;"
done
[ "$seen" = '7.3.8 starts, and injects undefined;8.4.0 injects the dependency;' ] || { echo 'changed'; exit 1; }
echo 'As described.'
