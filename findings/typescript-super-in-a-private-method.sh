#!/usr/bin/env bash
# One would guess: TypeScript compiles a valid ES2022 class to ES2021 so that it runs the same, or reports an error.
# What happens: a private method becomes a plain function outside the class, and a `super.x` in it goes along as it is. The output
# does not parse: "SyntaxError: 'super' keyword unexpected here". There is no diagnostic.
# Seen with typescript 5.9.3, target ES2021 and ES2015 (with ES2022 all is well).
# For users: one meets this where a test runner compiles a dependency's JavaScript (ts-jest with `allowJs`, and a `target` below
# ES2022). Set `target` to ES2022 or later for it, or leave that package out by `transformIgnorePatterns`. In own code, call
# `super` in a method that is not private.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --loglevel=error --prefix "$dir" typescript@5.9.3 >/dev/null || exit 2
echo "typescript 5.9.3, Node.js $(node --version)"

cat >source.js <<'JS'
class Base {
  greet() {
    return 'hello';
  }
}
class Child extends Base {
  #greet() {
    return super.greet();
  }
  run() {
    return this.#greet();
  }
}
console.log(new Child().run());
JS
cat >compile.cjs <<'NODE'
const { readFileSync, writeFileSync } = require('node:fs');
const ts = require('typescript');
for (const target of ['ES2022', 'ES2021', 'ES2015']) {
  const { outputText, diagnostics } = ts.transpileModule(readFileSync('source.js', 'utf8'), {
    fileName: 'source.js',
    reportDiagnostics: true,
    compilerOptions: { allowJs: true, module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget[target] },
  });
  if (diagnostics.length > 0) throw new Error(`changed: a diagnostic for ${target}`);
  writeFileSync(`${target}.cjs`, outputText);
}
NODE
echo "source: $(node source.js)"
node compile.cjs || exit 1
seen=''
for target in ES2022 ES2021 ES2015; do
  answer=$(node "$target.cjs" 2>errors) || answer=$(grep '^SyntaxError' errors || tail -1 errors)
  echo "$target: $answer"
  seen="$seen$target $answer;"
done
error="SyntaxError: 'super' keyword unexpected here"
[ "$seen" = "ES2022 hello;ES2021 $error;ES2015 $error;" ] || { echo 'changed'; exit 1; }
echo 'As described.'
