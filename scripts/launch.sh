#!/usr/bin/env bash
# Starts the whole topology on this machine, waits until it serves, and stops it again. See --help.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/class-data.sh"
source "$LIB/flags.sh"
source "$LIB/http.sh"
source "$LIB/run-folder.sh"
source "$LIB/processes.sh"
source "$LIB/report.sh"
source "$LIB/restart.sh"
source "$LIB/rank-requests.sh"

# 1 in the background half of --detach.
readonly DETACHED=${DPSERVE_LAUNCH_DETACHED:-0}

# More than the processes' own time limit, so that they are killed only if they do not keep it.
readonly STOP_MARGIN_S=10

usage() {
  cat <<'END'
Usage: scripts/launch.sh [FLAG...]

Starts a tokenizer manager with the HTTP server, a detokenizer, the data-parallel controller and one scheduler
per rank, each in a JVM of its own; builds them first if needed. Serves in the foreground: Ctrl-C or SIGTERM
lets running requests finish and stops everything. Environment variables reach every process.

A rank that dies while others live is reported, and the rest goes on serving. When any other process dies, or the last
rank, everything is stopped and the exit status is 1. With --restart every process that dies is started again.

  scripts/launch.sh --dp-size 4 --load-balance-method shortest_queue --port 30000

Flags, with the processes that take them:
END
  print_flags
}

# detach ARGUMENT...: runs this script in a session of its own and returns when that one is ready or has failed.
detach() {
  local pid output status=0
  make_run_dir "$RUN_ARGUMENT"
  rm -f "$RUN_DIR/topology.json"
  output=$RUN_DIR/launch.log
  DPSERVE_LAUNCH_DETACHED=1 setsid bash "$ROOT/scripts/launch.sh" "$@" </dev/null >"$output" 2>&1 &
  pid=$!
  trap 'kill -TERM "$pid" 2>/dev/null || true' INT TERM HUP PIPE
  while kill -0 "$pid" 2>/dev/null; do
    if [[ -e $RUN_DIR/topology.json ]]; then
      cat "$output"
      return
    fi
    sleep 0.05 || true
  done
  wait "$pid" || status=$?
  cat "$output" >&2
  exit "$status"
}

# start_all: every process at once; they find each other in any order.
start_all() {
  local role index
  declare -A count=(
    [controller]=1 [scheduler]=${FLAG_VALUE[--dp-size]}
    [detokenizer]=${FLAG_VALUE[--detokenizer-worker-num]} [tokenizer]=${FLAG_VALUE[--tokenizer-worker-num]}
  )
  for role in "${ROLES[@]}"; do
    role_flags "$role"
    for ((index = 0; index < count[$role]; index++)); do
      if [[ -n ${ROLE_INDEX_FLAG[$role]:-} ]]; then
        start_process "$role" "$index" "${ROLE_FLAGS[@]}"
      else
        start_process "$role" "" "${ROLE_FLAGS[@]}"
      fi
    done
  done
}

# leave: whatever ends this script, nothing that it started goes on running.
leave() {
  local status=$? name
  trap - EXIT
  stop_class_data
  stop_timers
  stop_processes "${FLAG_VALUE[--stop-timeout-s]}" || status=$EXIT_FAILURE
  close_run_dir
  for name in "${NAMES[@]}"; do
    wait "${PID[$name]}" 2>/dev/null || true # leave no zombie to the system
  done
  exit "$status"
}

main() {
  local status=0 host
  load_flags
  parse_flags "$@"
  if [[ ${FLAG_VALUE[--help]:-} == true ]]; then
    usage
    return
  fi
  require_count --port 1 65535
  require_count --dp-size 1 4096
  require_count --tokenizer-worker-num 1 47
  require_count --detokenizer-worker-num 1 100
  require_count --ready-timeout-s 1 3600
  require_count --drain-timeout-s 0 86400
  FLAG_VALUE[--stop-timeout-s]=${FLAG_VALUE[--stop-timeout-s]:-$((FLAG_VALUE[--drain-timeout-s] + STOP_MARGIN_S))}
  require_count --stop-timeout-s 0 90000
  RUN_ARGUMENT=$ROOT/run
  [[ -z ${GIVEN[--run-dir]:-} ]] || RUN_ARGUMENT=${FLAG_VALUE[--run-dir]}
  check_run_dir "$RUN_ARGUMENT"
  use_model
  use_secrets
  host=${FLAG_VALUE[--host]}
  [[ $host != 0.0.0.0 ]] || host=127.0.0.1
  if is_port_open "$host" "${FLAG_VALUE[--port]}"; then
    fail "port ${FLAG_VALUE[--port]} of $host is in use; choose another --port"
  fi
  require_java "${FLAG_VALUE[--install]:-false}"
  if [[ $DETACHED == 0 ]]; then
    [[ ${FLAG_VALUE[--no-build]:-} == true ]] || build_if_needed "${FLAG_VALUE[--install]:-false}"
    if [[ ${FLAG_VALUE[--detach]:-} == true ]]; then
      detach "${OPEN_ARGUMENTS[@]}"
      return
    fi
  fi
  open_run_dir "$RUN_ARGUMENT"
  trap 'STOP_REQUESTS=$((STOP_REQUESTS + 1))' INT TERM HUP PIPE
  trap ':' USR1 # a request of rank.sh: it only wakes the supervisor
  trap leave EXIT
  local began=${EPOCHREALTIME/./}
  use_class_data "${ROLES[@]}"
  start_all
  wait_until_ready "${FLAG_VALUE[--ready-timeout-s]}" "$host" "${FLAG_VALUE[--port]}"
  print_table "$host" "${FLAG_VALUE[--port]}" "$(seconds_since "$began")"
  write_topology
  make_class_data
  supervise || status=$EXIT_FAILURE
  echo "stopping"
  exit "$status"
}

# use_secrets: what lies outside the arguments, and OPEN_ARGUMENTS: those that others may see.
use_secrets() {
  local first
  export_secrets
  OPEN_ARGUMENTS=()
  if [[ -n ${GIVEN[--curve-keys]:-} ]]; then
    [[ -d ${FLAG_VALUE[--curve-keys]} ]] || fail "--curve-keys: no folder ${FLAG_VALUE[--curve-keys]}" "$EXIT_USAGE"
    FLAG_VALUE[--curve-keys]=$(realpath "${FLAG_VALUE[--curve-keys]}")
  fi
  for first in "${GIVEN_ORDER[@]}"; do
    [[ -n ${SECRET_VARIABLE[$first]:-} ]] || OPEN_ARGUMENTS+=("$first=${FLAG_VALUE[$first]}")
  done
}

# use_model: the optional modules that the flags ask for; the processes run in another folder, so paths become absolute.
use_model() {
  local flag
  if [[ ${FLAG_VALUE[--engine]} == llama ]]; then
    [[ -n ${GIVEN[--model-path]:-} ]] || fail "--engine llama needs --model-path" "$EXIT_USAGE"
    use_optional_module llama
  fi
  [[ -z ${GIVEN[--tokenizer-path]:-} ]] || use_optional_module huggingface
  for flag in --model-path --tokenizer-path --chat-template; do
    if [[ -n ${GIVEN[$flag]:-} ]]; then
      [[ -r ${FLAG_VALUE[$flag]} ]] || fail "$flag: cannot read ${FLAG_VALUE[$flag]}" "$EXIT_USAGE"
      FLAG_VALUE[$flag]=$(realpath "${FLAG_VALUE[$flag]}")
    fi
  done
}

# seconds_since MICROSECONDS: with one decimal.
seconds_since() {
  local tenths=$(((${EPOCHREALTIME/./} - $1) / 100000))
  echo "$((tenths / 10)).$((tenths % 10))"
}

main "$@"
