#!/usr/bin/env bash
# What terraform does to a node of this machine; one verb a call, the rest in the environment.
#
#   format   writes server.properties and formats the directories, unless they are      ID CONFIG CLUSTER_ID VOTERS
#   up       starts the node, or starts it anew where it runs otherwise than wanted     ID CONFIG WANTED START PEERS
#   await    returns when all nodes are ready                                           PEERS
#   remove   stops the node in order; deletes what it wrote unless KEEP                 ID KEEP
#   clear    deletes what outlived the nodes unless KEEP                                KEEP
#
# DIRECTORY/node-ID holds server.properties, data, node.log, pid, wanted (hash of what it runs with) and start (which
# start it is, as terraform counts them). PEERS are the nodes of one role, as ID:PORT of their admin endpoints.
set -euo pipefail

READY_SECONDS=${READY_SECONDS:-180}
# As the systemd unit: handing leadership over takes five minutes at most.
STOP_SECONDS=${STOP_SECONDS:-390}
node=${DIRECTORY:?}/node-${ID:-}

say() { printf 'strandline: %s\n' "$*" >&2; }

# The process of a node, nothing if it is dead: a pid may have become somebody else's. A node on its way up is its
# launcher still, which has the same arguments.
process() {
  local home=$DIRECTORY/node-$1 pid
  pid=$(cat "$home/pid" 2>/dev/null) || return 0
  if kill -0 "$pid" 2>/dev/null && [[ $(arguments "$pid") == *"$home/server.properties"* ]]; then echo "$pid"; fi
}
arguments() {
  if [ -d /proc/self ]; then tr '\0' ' ' 2>/dev/null < "/proc/$1/cmdline"; else ps -ww -o args= -p "$1"; fi || true
}

# GET of a path of an admin endpoint, with status line and headers.
get() {
  exec 3<> "/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
  cat <&3
  exec 3>&-
}
ready() { [[ $( (get "$1" /readyz) 2>/dev/null || true) == HTTP/1.?" 200 "* ]]; }

await() {
  local name=$1 port=$2 deadline=$((SECONDS + READY_SECONDS)) missed=0
  until ready "$port"; do
    # A process that becomes another program has no arguments for a moment.
    if [ -n "$(process "$name")" ]; then missed=0; else missed=$((missed + 1)); fi
    if [ "$missed" -ge 10 ]; then
      say "node $name has ended:"
      tail -n 5 "$DIRECTORY/node-$name/node.log" >&2 || true
      return 1
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "node $name is not ready after $READY_SECONDS s, see $DIRECTORY/node-$name/node.log"
      return 1
    fi
    sleep 0.2
  done
}

# Partitions that lack a replica, over all brokers that answer.
under_replicated() {
  local one
  for one in $PEERS; do
    (get "${one#*:}" /metrics) 2>/dev/null || true
  done | awk '/^strandline_partition_under_replicated/ { sum += $NF } END { print sum + 0 }'
}

# All nodes of this role serve and lack nothing: one of them may be taken away, or the next.
settled() {
  local one deadline=$((SECONDS + READY_SECONDS))
  for one in $PEERS; do await "${one%:*}" "${one#*:}"; done
  while [ "$(under_replicated)" -gt 0 ]; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      say "after $READY_SECONDS s partitions lack replicas still: the nodes that run otherwise than wanted are left so"
      return 1
    fi
    sleep 0.2
  done
}

stop() {
  local pid deadline
  pid=$(process "$ID")
  if [ -n "$pid" ]; then
    deadline=$((SECONDS + STOP_SECONDS))
    kill -TERM "$pid"
    while [ -n "$(process "$ID")" ]; do
      if [ "$SECONDS" -ge "$deadline" ]; then
        say "node $ID did not stop in $STOP_SECONDS s: killed"
        kill -KILL "$pid" 2>/dev/null || true
        break
      fi
      sleep 0.1
    done
  fi
  rm -f "$node/pid"
}

configure() {
  mkdir -p "$node"
  (umask 077 && printf '%s' "$CONFIG" > "$node/server.properties")
}

# Becomes a program in a session of its own, so that Ctrl-C at terraform does not reach it. Where there is no setsid (macOS),
# what was put into the background does not hear of that either.
apart() {
  if command -v setsid >/dev/null; then exec setsid "$@"; else exec "$@"; fi
}

start() {
  configure
  # Nothing of ours held open.
  apart "$DISTRIBUTION/bin/strandline" server --config "$node/server.properties" \
    >> "$node/node.log" 2>&1 < /dev/null 3>&- 8>&- &
  echo $! > "$node/pid"
}

# Nodes change one at a time: whoever holds this lock.
lock() {
  mkdir -p "$DIRECTORY"
  exec 8> "$DIRECTORY/.lock"
  if command -v flock >/dev/null; then flock 8; fi
}

case "${1:-}" in
  format)
    configure
    command=("$DISTRIBUTION/bin/strandline" format --config "$node/server.properties" -t "$CLUSTER_ID" --ignore-formatted)
    if [ -n "$VOTERS" ]; then command+=(-I "$VOTERS"); fi
    "${command[@]}"
    ;;
  up)
    lock
    if [ -z "$(process "$ID")" ]; then
      start
    elif [ "$(cat "$node/wanted" 2>/dev/null || true)" != "$WANTED" ]; then
      say "node $ID is started anew"
      settled
      stop
      start
      settled
    fi
    printf '%s\n' "$WANTED" > "$node/wanted"
    printf '%s\n' "$START" > "$node/start"
    ;;
  await)
    for one in $PEERS; do await "${one%:*}" "${one#*:}"; done
    ;;
  remove)
    stop
    if [ "$KEEP" = true ]; then rm -f "$node/wanted" "$node/start"; else rm -rf "$node"; fi
    ;;
  clear)
    rm -f "$DIRECTORY/.lock"
    if [ "$KEEP" != true ]; then
      rm -rf "$DIRECTORY/objects"
      rmdir "$DIRECTORY" 2>/dev/null || true
    fi
    ;;
  *)
    say "format, up, await, remove or clear, not ${1:-nothing}"
    exit 2
    ;;
esac
