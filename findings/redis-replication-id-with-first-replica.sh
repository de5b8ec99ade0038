#!/usr/bin/env bash
# One would guess: a master's replication id (`master_replid` of INFO replication) changes when another server becomes the
# master, so that a change of it means a failover.
# What happens: it changes as well, on a master that runs on with all its data, when its first replica attaches, and when
# the last one has been gone for `repl-backlog-ttl` (an hour by default). Redis keeps no backlog while there are no
# replicas, so no earlier position could be continued. A second replica changes nothing.
# Seen with redis-server 7.0.15.
# For users: the id tells surely that nothing was lost while it stays the same. A change of it does not tell that
# something was lost.
set -euo pipefail
command -v redis-server >/dev/null && command -v redis-cli >/dev/null || { echo 'redis-server and redis-cli have to be on PATH.'; exit 2; }
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
echo "redis-server $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/')"

free_port() {
  node -p '
    const server = require("node:net").createServer().listen(0);
    const { port } = server.address();
    server.close();
    port'
}
start() { # port, settings: starts a server, and waits until it answers
  mkdir -p "$dir/$1"
  redis-server --port "$1" --bind 127.0.0.1 --dir "$dir/$1" --save '' "${@:2}" >"$dir/$1/log" &
  pids+=($!)
  until redis-cli -p "$1" ping >/dev/null 2>&1; do kill -0 $! || exit 2; sleep 0.1; done
}
replid() { redis-cli -p "$1" info replication | sed -n 's/^master_replid:\([0-9a-f]*\).*/\1/p'; }
attached() { until redis-cli -p "$1" info replication | grep -q 'master_link_status:up'; do sleep 0.1; done; }

master=$(free_port)
start "$master" --repl-backlog-ttl 2 --repl-diskless-sync-delay 0
redis-cli -p "$master" set key value >/dev/null
alone=$(replid "$master")

first=$(free_port)
start "$first" --replicaof 127.0.0.1 "$master"
attached "$first"
with_one=$(replid "$master")
second=$(free_port)
start "$second" --replicaof 127.0.0.1 "$master"
attached "$second"
with_two=$(replid "$master")

redis-cli -p "$first" replicaof no one >/dev/null
redis-cli -p "$second" replicaof no one >/dev/null
for _ in $(seq 100); do
  left=$(replid "$master")
  [ "$left" = "$with_two" ] || break
  sleep 0.1
done

echo "alone:                       $alone"
echo "with its first replica:      $with_one"
echo "with its second one:         $with_two"
echo "some time after both left:   $left"
[ "$(redis-cli -p "$master" get key)" = value ] || exit 1
[ "$alone" != "$with_one" ] && [ "$with_one" = "$with_two" ] && [ "$left" != "$with_two" ] || exit 1
echo 'The replication id of a master that lost nothing has changed twice.'
