#!/usr/bin/env bash
# The most requests that any rank of a running topology ever held, by policy and report delay. See --help.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/http.sh"
source "$LIB/own-topology.sh"

readonly RANKS=4
readonly IN_FLIGHT=100

# 250 requests turn 100 slots over more than twice, with their ends spread by their lengths.
readonly NUM_PROMPTS=250

# Ten times as fast as the modelled GPU; more, and two cores cannot keep up.
readonly TIME_SCALE=0.1

# Tokens between two events of a stream: fewer events leave the machine to the ranks.
readonly STREAM_INTERVAL=50

# A second topology shows what several tokenizer workers cost the exact policy.
readonly WORKERS=4

usage() {
  cat <<'END'
Usage: scripts/dev/live-balance.sh [--seeds N] [--trace FILE] [--csv FILE] [--install] [--no-build]

Runs a closed loop of 100 requests on 4 ranks, output lengths as in the Azure conversation trace, load reports 0, 50 and
500 ms late: least_requests, round_robin and shortest_queue with one tokenizer worker, then least_requests with four.
Prints the most requests that any rank held, running and queued, by the schedulers' own count; whether all ranks were
even whenever all requests were held; and with four workers the excess beside the end notices that were in transit.

  --seeds N     runs of each combination (default: 1, about 80 s; 10 take about 8 minutes)
  --trace FILE  azure-2023-conversation.csv: a stretch of its output lengths for each seed (default: lengths drawn from
                its quantiles)
  --csv FILE    one line for each run (default: live-balance.csv in the current folder)

Exit status: 0, 1 if a reply was not as expected or least_requests with one worker gave a rank more than 25, 2 for a
wrong flag.
END
}

# measure WORKERS POLICIES DELAYS_MS FLAG...: starts a topology, prints its rows and stops it.
measure() {
  local workers=$1 policies=$2 delays=$3 port status=0
  shift 3
  port=$(free_port)
  start_topology --dp-size "$RANKS" --tokenizer-worker-num "$workers" --port "$port" --time-scale "$TIME_SCALE" \
    --stream-interval "$STREAM_INTERVAL"
  run_beside "$JAVA" "${JVM_FLAGS[@]}" -cp "$(module_jar bench):$ROOT/bench/target/lib/*" \
    dpserve.bench.process.LiveBalanceMain --port "$port" --ranks "$RANKS" --workers "$workers" \
    --policies "$policies" --delays-ms "$delays" --num-prompts "$NUM_PROMPTS" --max-concurrency "$IN_FLIGHT" "$@" || status=$?
  stop_topology || status=$EXIT_FAILURE
  return "$status"
}

main() {
  local install=false build=true seeds=1 csv=live-balance.csv flags=() status=0
  while (($# > 0)); do
    case $1 in
      --seeds | --trace | --csv) (($# > 1)) || fail "$1 needs a value" "$EXIT_USAGE" ;;&
      --seeds) seeds=$2 && shift ;;
      --trace) flags+=(--trace "$2") && shift ;;
      --csv) csv=$2 && shift ;;
      --install) install=true ;;
      --no-build) build=false ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  [[ $seeds =~ ^[1-9][0-9]{0,2}$ ]] || fail "--seeds must be a whole number from 1 to 999, not '$seeds'" "$EXIT_USAGE"
  flags+=(--seeds "$seeds" --csv "$csv")
  [[ $build == false ]] || build_if_needed "$install"
  require_java "$install"
  role_jvm_flags bench
  own_topology
  measure 1 least_requests,round_robin,shortest_queue 0,50,500 --header "${flags[@]}" || status=$?
  measure "$WORKERS" least_requests 0,500 "${flags[@]}" || status=$?
  echo "$csv after $((SECONDS / 60)) min $((SECONDS % 60)) s"
  return "$status"
}

main "$@"
