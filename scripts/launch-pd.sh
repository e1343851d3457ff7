#!/usr/bin/env bash
# Starts a prefill server, a decode server and the PD router in front of them, and stops all three again. See --help.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/http.sh"

# How long the router may take to listen; the servers have --ready-timeout-s of their own.
readonly ROUTER_READY_S=30

# SGLang's own, and those of the experiment of PR #11469.
PORT=8000
PREFILL_PORT=30000
DECODE_PORT=31000
BOOTSTRAP_PORT=8998
HOST=127.0.0.1
RUN_BASE=$ROOT/run/pd
INSTALL=false
BUILD=true
PREFILL=()
DECODE=()
ROUTER=()
PID_OF=()
STOPPING=false

usage() {
  cat <<'END'
Usage: scripts/launch-pd.sh [FLAG...]

Starts two topologies, one with --disaggregation-mode prefill and one with --disaggregation-mode decode, and the PD router: the
one address that clients use. Serves in the foreground: Ctrl-C or SIGTERM stops everything.

  scripts/launch-pd.sh --dp-size 4 --decode-load-balance-method shortest_queue --decode-enable-dp-attention

  --port PORT                            of the router (default: 8000)
  --host HOST                            of the router (default: 127.0.0.1; the two servers stay on loopback)
  --prefill-port, --decode-port PORT     of the two servers (default: 30000, 31000)
  --disaggregation-bootstrap-port PORT   of the prefill server's bootstrap server (default: 8998)
  --run-dir DIR                          run folders of the three, as DIR/prefill, DIR/decode and DIR/router (default: run/pd)
  --install, --no-build                  as for launch.sh
  --max-concurrent-requests N            of the router; one more is refused with 503 (default: 4096)
  --prefill-FLAG, --decode-FLAG          FLAG of launch.sh for one of the two servers
  any other flag of launch.sh            for both (--prefill-round-robin-balance is such a one)
END
}

# parse ARGUMENT...: what is meant for whom; a word without dashes belongs to the flag before it.
parse() {
  local target=both word
  for word in "$@"; do
    case $word in
      --port=* | --prefill-port=* | --decode-port=* | --disaggregation-bootstrap-port=* | --run-dir=* | --host=*)
        take_own "${word%%=*}" "${word#*=}"
        target=both
        ;;
      --port | --prefill-port | --decode-port | --disaggregation-bootstrap-port | --run-dir | --host) target=$word ;;
      --install) INSTALL=true ;;
      --no-build) BUILD=false ;;
      --help) usage && exit ;;
      --detach | --disaggregation-mode*) fail "$word does not go with launch-pd.sh" "$EXIT_USAGE" ;;
      --max-request-bytes*) target=all && give all "$word" ;;
      --max-concurrent-requests*) target=router && give router "$word" ;;
      --prefill-round-robin-balance*) target=both && give both "$word" ;;
      --prefill-*) target=prefill && give prefill "--${word#--prefill-}" ;;
      --decode-log-interval*) target=both && give both "$word" ;;
      --decode-*) target=decode && give decode "--${word#--decode-}" ;;
      --*) target=both && give both "$word" ;;
      *)
        case $target in
          all | both | prefill | decode | router) give "$target" "$word" ;;
          *) take_own "$target" "$word" && target=both ;;
        esac
        ;;
    esac
  done
}

# give TARGET WORD: "all" are both servers and the router, "both" the servers.
give() {
  [[ $1 == decode || $1 == router ]] || PREFILL+=("$2")
  [[ $1 == prefill || $1 == router ]] || DECODE+=("$2")
  [[ $1 != all && $1 != router ]] || ROUTER+=("$2")
}

# take_own FLAG VALUE
take_own() {
  case $1 in
    --run-dir) RUN_BASE=$2 && return ;;
    --host) HOST=$2 && return ;;
  esac
  if ! [[ $2 =~ ^[0-9]{1,5}$ ]] || ((10#$2 < 1 || 10#$2 > 65535)); then
    fail "$1 must be 1 to 65535, not '$2'" "$EXIT_USAGE"
  fi
  case $1 in
    --port) PORT=$2 ;;
    --prefill-port) PREFILL_PORT=$2 ;;
    --decode-port) DECODE_PORT=$2 ;;
    --disaggregation-bootstrap-port) BOOTSTRAP_PORT=$2 ;;
  esac
}

# start_server NAME PORT FLAG...
start_server() {
  local name=$1 port=$2
  shift 2
  bash "$ROOT/scripts/launch.sh" --no-build --run-dir "$RUN_BASE/$name" --port "$port" --disaggregation-mode "$name" \
    --disaggregation-bootstrap-port "$BOOTSTRAP_PORT" "$@" </dev/null &
  PID_OF+=("$!")
}

start_router() {
  role_jvm_flags router
  mkdir -p "$RUN_BASE/router"
  "$JAVA" "${JVM_FLAGS[@]}" -cp "$(role_class_path router)" "${ROLE_MAIN[router]}" --host "$HOST" --port "$PORT" \
    --prefill "http://127.0.0.1:$PREFILL_PORT,$BOOTSTRAP_PORT" --decode "http://127.0.0.1:$DECODE_PORT" "${ROUTER[@]}" \
    </dev/null >"$RUN_BASE/router/router.log" 2>&1 &
  PID_OF+=("$!")
}

# any_ended: whether one of the three ended though nobody asked it to.
any_ended() {
  local pid
  for pid in "${PID_OF[@]}"; do
    kill -0 "$pid" 2>/dev/null || return 0
  done
  return 1
}

# leave: whatever ends this script, nothing that it started goes on running.
leave() {
  local status=$? pid
  trap - EXIT
  trap '' INT TERM HUP
  for ((i = ${#PID_OF[@]} - 1; i >= 0; i--)); do # the router first: it takes nothing new
    kill -TERM "${PID_OF[i]}" 2>/dev/null || true
  done
  for pid in "${PID_OF[@]}"; do
    wait "$pid" 2>/dev/null || $STOPPING || status=$EXIT_FAILURE
  done
  exit "$status"
}

# wait_for CONDITION...: until it holds; fails when a process ended.
wait_for() {
  until "$@"; do
    ! any_ended || fail "a server ended [logs: $RUN_BASE]"
    ! $STOPPING || exit 0
    sleep 0.1 || true
  done
}

is_ready() {
  [[ -e $RUN_BASE/prefill/topology.json && -e $RUN_BASE/decode/topology.json ]]
}

is_router_open() {
  if ((SECONDS > ROUTER_DEADLINE)); then
    fail "the router did not listen [log: $RUN_BASE/router/router.log]"
  fi
  is_port_open "$CONNECT_HOST" "$PORT"
}

main() {
  parse "$@"
  CONNECT_HOST=$HOST
  [[ $HOST != 0.0.0.0 ]] || CONNECT_HOST=127.0.0.1
  ! is_port_open "$CONNECT_HOST" "$PORT" || fail "port $PORT of $HOST is in use; choose another --port"
  ! is_port_open 127.0.0.1 "$BOOTSTRAP_PORT" || fail "port $BOOTSTRAP_PORT is in use; choose another --disaggregation-bootstrap-port"
  require_java "$INSTALL"
  ! $BUILD || build_if_needed "$INSTALL"
  mkdir -p "$RUN_BASE"
  RUN_BASE=$(cd "$RUN_BASE" && pwd -P)
  rm -f "$RUN_BASE"/{prefill,decode}/topology.json
  trap leave EXIT
  trap 'STOPPING=true' INT TERM HUP
  start_server prefill "$PREFILL_PORT" "${PREFILL[@]}"
  start_server decode "$DECODE_PORT" "${DECODE[@]}"
  wait_for is_ready
  ROUTER_DEADLINE=$((SECONDS + ROUTER_READY_S))
  start_router
  wait_for is_router_open
  echo
  echo "READY http://$HOST:$PORT (PD router; prefill $PREFILL_PORT, decode $DECODE_PORT, bootstrap $BOOTSTRAP_PORT)"
  while ! $STOPPING; do
    ! any_ended || fail "a server ended [logs: $RUN_BASE]"
    sleep 0.5 || true
  done
  echo "stopping"
}

main "$@"
