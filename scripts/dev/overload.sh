#!/usr/bin/env bash
# Ten times the load that a topology can serve: what is refused, how long the others wait, whether memory grows. See --help.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/http.sh"
source "$LIB/own-topology.sh"

readonly RANKS=2

# Per rank. Small, so that ten times what they can do is a load that two cores can carry.
readonly RUNNING=16
readonly QUEUED=16

readonly FACTOR=10

usage() {
  cat <<'END'
Usage: scripts/dev/overload.sh [--seconds N] [--install] [--no-build]

Finds how many requests a topology of 2 ranks (16 running and 16 queued on each) serves a second, then sends ten times as
many whether it answers or not. Prints how many were served and refused, how long either took, and the live heap of each
process over time.

  --seconds N   how long the overload lasts (default: 300)

Exit status: 0; 1 if a reply was lost or wrong, the served waited over 4 times as long as without overload (P99), a refusal
took over a second (P99), a heap grows, a rank was declared dead, or a table of /server_info is not empty afterwards.
END
}

main() {
  local install=false build=true seconds=300 port status=0
  while (($# > 0)); do
    case $1 in
      --seconds) seconds=${2:?--seconds needs a number} && shift ;;
      --install) install=true ;;
      --no-build) build=false ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  [[ $seconds =~ ^[1-9][0-9]{0,4}$ ]] || fail "--seconds must be a whole number from 1, not '$seconds'" "$EXIT_USAGE"
  [[ $build == false ]] || build_if_needed "$install"
  require_java "$install"
  role_jvm_flags bench
  own_topology
  port=$(free_port)
  start_topology --dp-size "$RANKS" --port "$port" --load-balance-method least_requests \
    --max-running-requests "$RUNNING" --max-queued-requests "$QUEUED"
  run_beside "$JAVA" "${JVM_FLAGS[@]}" -cp "$(module_jar bench):$ROOT/bench/target/lib/*" \
    dpserve.bench.process.OverloadMain --port "$port" --slots "$((RANKS * RUNNING))" --seconds "$seconds" \
    --factor "$FACTOR" || status=$?
  stop_topology || status=$EXIT_FAILURE
  return "$status"
}

main "$@"
