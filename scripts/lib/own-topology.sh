# shellcheck shell=bash
# A topology that belongs to one script: started for it, and stopped with it, however it ends.

# Below the range from which the kernel draws client ports, so that a port found free stays free.
readonly FIRST_PORT=20000
readonly LAST_PORT=29000
readonly PORT_TRIES=100

# Beyond the launcher's own time limits for start and stop.
readonly OWN_READY_TIMEOUT_S=60

OWN_DIR=
OWN_LAUNCHER=
OWN_CLIENT=

# free_port: an HTTP port whose default endpoints (234 above it) are free too.
free_port() {
  local try port p
  for ((try = 0; try < PORT_TRIES; try++)); do
    port=$((FIRST_PORT + RANDOM % (LAST_PORT - FIRST_PORT)))
    for p in "$port" $(seq $((port + 234)) $((port + 254))) $((port + 334)); do
      ! is_port_open 127.0.0.1 "$p" || continue 2
    done
    echo "$port"
    return
  done
  fail "no free ports between $FIRST_PORT and $LAST_PORT"
}

# own_topology: makes the folder, and sees to it that nothing stays behind.
own_topology() {
  OWN_DIR=$(mktemp -d "${TMPDIR:-/tmp}/dpserve.XXXXXX")
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  trap leave_own_topology EXIT
}

leave_own_topology() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP # a second Ctrl-C must not leave half of it running
  if [[ -n $OWN_CLIENT ]]; then
    kill -TERM "$OWN_CLIENT" 2>/dev/null || true
    wait "$OWN_CLIENT" 2>/dev/null || true
  fi
  stop_topology || status=$EXIT_FAILURE
  if ((status == EXIT_FAILURE)) && [[ -d $OWN_DIR/run/logs ]]; then
    echo "logs: $OWN_DIR" >&2
  else
    rm -rf "$OWN_DIR"
  fi
  exit "$status"
}

# start_topology FLAG...: a launch of this script's own, ready when this returns. In the background, where Ctrl-C does not
# reach it: it is told to stop by its pid.
start_topology() {
  local deadline=$((SECONDS + OWN_READY_TIMEOUT_S))
  bash "$ROOT/scripts/launch.sh" --no-build --run-dir "$OWN_DIR/run" "$@" >"$OWN_DIR/launch.log" 2>&1 </dev/null &
  OWN_LAUNCHER=$!
  until [[ -e $OWN_DIR/run/topology.json ]]; do
    if ! kill -0 "$OWN_LAUNCHER" 2>/dev/null || ((SECONDS > deadline)); then
      tail -n 3 "$OWN_DIR/launch.log" >&2
      fail "the topology did not start"
    fi
    sleep 0.05
  done
}

# run_beside COMMAND...: waits for it, and can be interrupted while it does.
run_beside() {
  local status=0
  "$@" </dev/null &
  OWN_CLIENT=$!
  wait "$OWN_CLIENT" || status=$?
  OWN_CLIENT=
  return "$status"
}

# stop_topology: fails if a process had to be killed or the launcher had failed.
stop_topology() {
  local status=0
  [[ -n $OWN_LAUNCHER ]] || return 0
  kill -TERM "$OWN_LAUNCHER" 2>/dev/null || true
  wait "$OWN_LAUNCHER" || status=$?
  OWN_LAUNCHER=
  if ((status != 0)); then
    echo "the topology did not end well:" >&2
    grep -v '^ ' "$OWN_DIR/launch.log" | tail -n 3 >&2
  fi
  return "$status"
}
