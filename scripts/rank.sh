#!/usr/bin/env bash
# Adds, removes, drains and restarts the ranks of a running topology. See --help and docs/operations.md.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/http.sh"
source "$LIB/run-folder.sh"
source "$LIB/rank-requests.sh"

# How often a rank is looked at while it drains or starts.
readonly LOOK_S=0.1

readonly HTTP_TIMEOUT_S=10

usage() {
  cat <<'END'
Usage: scripts/rank.sh COMMAND [FLAG...]

  list           every rank: state, pid, requests sent to it that have not ended
  add [N]        start a rank, the lowest free dp_rank or this one, and wait until it takes requests
  drain N        no new requests for it; returns at once
  undrain N      new requests again
  remove N       drain it, wait until it has nothing left, end its process, forget it
  restart N|all  remove and add, one rank after the other: no request fails

  --run-dir DIR               run folder of the topology (default: run/ in the repository)
  --drain-timeout-s SECONDS   remove, restart: longest wait for running requests (default: 30); what is left goes on at other
                              ranks where it stood
  --ready-timeout-s SECONDS   add, restart: longest wait for the rank (default: 60)

DPSERVE_ADMIN_API_KEY and DPSERVE_API_KEY hold the keys of a server that has some.
END
}

main() {
  local command='' rank='' dir=$ROOT/run
  DRAIN_TIMEOUT_S=30
  READY_TIMEOUT_S=60
  while (($# > 0)); do
    case $1 in
      --run-dir | --drain-timeout-s | --ready-timeout-s) (($# > 1)) || fail "$1 needs a value" "$EXIT_USAGE" ;;&
      --run-dir) dir=$2 && shift ;;
      --run-dir=*) dir=${1#*=} ;;
      --drain-timeout-s) DRAIN_TIMEOUT_S=$2 && shift ;;
      --drain-timeout-s=*) DRAIN_TIMEOUT_S=${1#*=} ;;
      --ready-timeout-s) READY_TIMEOUT_S=$2 && shift ;;
      --ready-timeout-s=*) READY_TIMEOUT_S=${1#*=} ;;
      --help) usage && return ;;
      -*) fail "unknown flag $1 (--help lists them)" "$EXIT_USAGE" ;;
      *)
        if [[ -z $command ]]; then
          command=$1
        elif [[ -z $rank ]]; then
          rank=$1
        else
          fail "unexpected argument '$1'" "$EXIT_USAGE"
        fi
        ;;
    esac
    shift
  done
  check_arguments "$command" "$rank"
  open_topology "$dir"
  case $command in
    list) list_ranks ;;
    add) add "${rank:--}" ;;
    drain | undrain) change POST "/ranks/$rank/$command" ;;
    remove) exclusively remove "$rank" ;;
    restart) exclusively restart "$rank" ;;
  esac
}

# check_arguments COMMAND RANK
check_arguments() {
  local seconds
  for seconds in "$DRAIN_TIMEOUT_S" "$READY_TIMEOUT_S"; do
    [[ $seconds =~ ^[0-9]{1,5}$ ]] || fail "a time limit must be a whole number of seconds, not '$seconds'" "$EXIT_USAGE"
  done
  case $1 in
    list) [[ -z $2 ]] || fail "list takes no dp_rank" "$EXIT_USAGE" ;;
    add) [[ -z $2 || $2 =~ ^[0-9]{1,4}$ ]] || fail "dp_rank must be a whole number, not '$2'" "$EXIT_USAGE" ;;
    drain | undrain | remove | restart)
      [[ $2 =~ ^[0-9]{1,4}$ || $1$2 == restartall ]] || fail "$1 needs a dp_rank, not '$2'" "$EXIT_USAGE"
      ;;
    '') fail "a command is needed: list, add, drain, undrain, remove or restart (see --help)" "$EXIT_USAGE" ;;
    *) fail "unknown command '$1' (--help lists them)" "$EXIT_USAGE" ;;
  esac
}

# open_topology DIR: sets RUN_DIR, LAUNCHER, HOST, PORT.
open_topology() {
  local url
  [[ -e $1/$RUN_MARK ]] || fail "$1 is not a run folder"
  RUN_DIR=$(cd "$1" && pwd -P)
  LAUNCHER=$(launcher_pid)
  [[ -n $LAUNCHER && -e $RUN_DIR/topology.json ]] || fail "nothing serves in $RUN_DIR"
  url=$(grep -m 1 -o 'http://[^"]*' "$RUN_DIR/topology.json") || fail "topology.json of $RUN_DIR names no HTTP server"
  url=${url#http://}
  HOST=${url%:*}
  PORT=${url##*:}
  [[ $HOST != 0.0.0.0 ]] || HOST=127.0.0.1
}

# exclusively COMMAND RANK: one such change of a topology at a time.
exclusively() {
  local lock
  exec {lock}>"$RUN_DIR/rank.lock"
  flock -n "$lock" || fail "another rank.sh changes the ranks of $RUN_DIR"
  "$@"
}

# call METHOD PATH KEY: sets STATUS and BODY.
call() {
  local reply
  reply=$(http_reply "$1" "$HOST" "$PORT" "$2" "$3" "$HTTP_TIMEOUT_S") || fail "no answer from http://$HOST:$PORT"
  STATUS=${reply%%$'\n'*}
  BODY=${reply#*$'\n'}
}

# change METHOD PATH: an administrator's call; prints what became of it, or ends the script.
change() {
  call "$1" "$2" "${DPSERVE_ADMIN_API_KEY:-${DPSERVE_API_KEY:-}}"
  [[ $STATUS == 200 ]] || fail "$(message)"
  echo "$BODY"
}

# message: what the server says is wrong.
message() {
  if [[ $BODY =~ \"message\":\"([^\"]*)\" ]]; then
    echo "${BASH_REMATCH[1]}"
  elif [[ $STATUS == 401 ]]; then
    echo "the server wants a key: set DPSERVE_ADMIN_API_KEY or DPSERVE_API_KEY"
  else
    echo "HTTP status $STATUS: $BODY"
  fi
}

# read_ranks: sets RANKS, one line for each: dp_rank, state, pid, requests.
read_ranks() {
  local object pattern='"dp_rank":([0-9]+),"state":"([a-z]+)".*"pid":([0-9]+),.*"in_flight_requests":([0-9]+)'
  call GET /ranks "${DPSERVE_API_KEY:-${DPSERVE_ADMIN_API_KEY:-}}"
  [[ $STATUS == 200 ]] || fail "$(message)"
  RANKS=()
  while IFS= read -r object; do
    if [[ $object =~ $pattern ]]; then
      RANKS+=("${BASH_REMATCH[*]:1:4}")
    fi
  done < <(tr '}' '\n' <<<"$BODY")
}

# state_of RANK: prints its state and requests; nothing if the controller knows no such rank.
state_of() {
  local row rank state pid requests
  read_ranks
  for row in "${RANKS[@]}"; do
    read -r rank state pid requests <<<"$row"
    [[ $rank != "$1" ]] || echo "$state $requests"
  done
}

list_ranks() {
  local row
  read_ranks
  printf '%-8s %-9s %-8s %s\n' DP_RANK STATE PID REQUESTS
  for row in "${RANKS[@]}"; do
    # shellcheck disable=SC2086 # split into words on purpose
    printf '%-8s %-9s %-8s %s\n' $row
  done
}

# ask REQUEST TIMEOUT_S: sets ANSWER to what follows "ok", or ends the script.
ask() {
  ANSWER=$(ask_launcher "$LAUNCHER" "$2" "$1") || fail "the launcher (pid $LAUNCHER) did not answer [$RUN_DIR]"
  [[ $ANSWER == 'ok '* ]] || fail "${ANSWER#error }"
  ANSWER=${ANSWER#ok }
}

# add RANK|-
add() {
  local deadline=$((SECONDS + READY_TIMEOUT_S)) began=${EPOCHREALTIME/./}
  ask "add $1" "$READY_TIMEOUT_S"
  until [[ $(state_of "$ANSWER") == 'up '* ]]; do
    ((SECONDS <= deadline)) || fail "dp_rank $ANSWER is not up after $READY_TIMEOUT_S s"
    sleep "$LOOK_S"
  done
  echo "dp_rank $ANSWER takes requests ($(((${EPOCHREALTIME/./} - began) / 1000)) ms)"
}

# remove RANK
remove() {
  local deadline=$((SECONDS + DRAIN_TIMEOUT_S)) began=${EPOCHREALTIME/./} state requests
  read -r state requests <<<"$(state_of "$1")" || true
  [[ -n $state ]] || fail "there is no dp_rank $1"
  if [[ $state == up ]]; then
    change POST "/ranks/$1/drain" >/dev/null
    state=draining
  fi
  while [[ $state == draining ]] && ((SECONDS <= deadline)); do
    sleep "$LOOK_S"
    read -r state requests <<<"$(state_of "$1")" || true
  done
  if [[ $state == draining ]]; then
    echo "dp_rank $1 still has $requests requests after $DRAIN_TIMEOUT_S s; they go on at other ranks"
  fi
  ask "end $1" "$HTTP_TIMEOUT_S"
  change DELETE "/ranks/$1" >/dev/null
  echo "dp_rank $1 removed ($(((${EPOCHREALTIME/./} - began) / 1000)) ms)"
}

# restart RANK|all
restart() {
  local row ranks=("$1") rank
  if [[ $1 == all ]]; then
    ranks=()
    read_ranks
    for row in "${RANKS[@]}"; do
      ranks+=("${row%% *}")
    done
  fi
  for rank in "${ranks[@]}"; do
    remove "$rank"
    add "$rank"
  done
}

main "$@"
