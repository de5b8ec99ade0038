#!/usr/bin/env bash
# One would guess: what an ACL does not allow fails with an error that begins with NOPERM, wherever it is called.
# What happens: called directly, it does. Called by a script, the error is one of the kind ERR, whose text does not contain
# NOPERM, neither as the reply of the script nor as what `redis.pcall` gives it. For a key that the user may not touch it is
# the same.
# Seen with redis-server 7.0.15.
# For users: a program that tells refusals for good from others by the word NOPERM misses those of its scripts.
set -euo pipefail
command -v redis-server >/dev/null && command -v redis-cli >/dev/null || { echo 'redis-server and redis-cli have to be on PATH.'; exit 2; }
dir=$(mktemp -d)
trap 'kill "${pid:-}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
echo "redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/')"

port=$(node -p '
  const server = require("node:net").createServer().listen(0);
  const { port } = server.address();
  server.close();
  port')
redis-server --port "$port" --bind 127.0.0.1 --dir "$dir" --save '' >"$dir/log" &
pid=$!
until redis-cli -p "$port" ping >/dev/null 2>&1; do kill -0 "$pid" || exit 2; sleep 0.1; done
redis-cli -p "$port" acl setuser guest on '>word' '~open:*' '&*' +@all -info >/dev/null

as_guest() { redis-cli -p "$port" --user guest --pass word --no-auth-warning "$@" 2>&1 | tr -s '\n' ' '; echo; }
show() { printf '%-28s %s\n' "$1" "$2"; }
direct=$(as_guest info replication)
called=$(as_guest eval "return redis.call('INFO')" 0)
caught=$(as_guest eval "return redis.pcall('INFO').err" 0)
key=$(as_guest get shut:1)
key_called=$(as_guest eval "return redis.call('GET', 'shut:1')" 0)
show 'INFO:' "$direct"
show 'INFO in a script:' "$called"
show 'the same by pcall:' "$caught"
show 'a key:' "$key"
show 'a key in a script:' "$key_called"

for refusal in "$direct" "$key"; do [[ $refusal = NOPERM* ]] || { echo 'changed'; exit 1; }; done
for refusal in "$called" "$caught" "$key_called"; do
  [[ $refusal = *ERR* && $refusal != *NOPERM* ]] || { echo 'changed'; exit 1; }
done
echo 'As described.'
