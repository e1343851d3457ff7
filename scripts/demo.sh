#!/usr/bin/env bash
# Shows in under a minute what a policy does to the ranks. See --help.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/http.sh"
source "$LIB/own-topology.sh"

readonly RANKS=4

# Five times as fast as the modelled GPU; much more, and two cores cannot keep up.
readonly TIME_SCALE=0.2

# No more requests than the even share run at once on a rank: what it holds beyond them has to wait.
readonly MOST_RUNNING=25

# Tokens between two events of a stream: fewer events leave the machine to the ranks.
readonly STREAM_INTERVAL=10

usage() {
  cat <<'END'
Usage: scripts/demo.sh [--port PORT] [--install] [--no-build]

Starts a topology of 4 simulated ranks on free ports, puts the same load on it under three policies, checks every token
of every reply, kills a rank under the load, and stops everything. One line for each policy and one for the kill. Under 60 s on 2 cores, once built.

  --port PORT   HTTP port (default: a free one)
  --install     install a missing JDK or Maven with apt
  --no-build    use the jars as they are

Exit status: 0, 1 if a reply was not as expected or least_requests gave a rank more than the even share, 2 for a wrong flag.
END
}

main() {
  local install=false build=true port='' status=0
  while (($# > 0)); do
    case $1 in
      --install) install=true ;;
      --no-build) build=false ;;
      --port) port=${2:-} && shift $(($# > 1)) ;;
      --port=*) port=${1#*=} ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  [[ $build == false ]] || build_if_needed "$install"
  require_java "$install"
  port=${port:-$(free_port)}
  own_topology
  start_topology --dp-size "$RANKS" --port "$port" --time-scale "$TIME_SCALE" --stream-interval "$STREAM_INTERVAL" \
    --max-running-requests "$MOST_RUNNING"
  echo "dpserve demo: $RANKS ranks of a simulated GPU at $(awk "BEGIN { print 1 / $TIME_SCALE }") times its speed; times below are the GPU's."
  role_jvm_flags bench
  run_beside "$JAVA" "${JVM_FLAGS[@]}" -cp "$(module_jar bench):$ROOT/bench/target/lib/*" \
    dpserve.bench.process.DemoMain --port "$port" --time-scale "$TIME_SCALE" || status=$?
  stop_topology || status=$EXIT_FAILURE
  echo "stopped after $SECONDS s"
  return "$status"
}

main "$@"
