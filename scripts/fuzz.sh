#!/usr/bin/env bash
# Sends random and mutated bytes to every socket of a running topology, and looks whether it minds. See --help.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/http.sh"
source "$LIB/own-topology.sh"

usage() {
  cat <<'END'
Usage: scripts/fuzz.sh [--frames N] [--http N] [--seconds N] [--seed N] [--install] [--no-build]

Starts a topology of 2 ranks, sends frames to the sockets of all its processes and requests to its HTTP port, all of them
random or mutated from the examples in bench/src/main/resources/dpserve/bench/fuzz; frames that are valid messages are left
out. Before and after, 40 requests must be answered to the last byte.

  --frames N    frames to send (default: 10000000)
  --http N      HTTP requests to send (default: 100000)
  --seconds N   longest time for each of the two (default: 3600)
  --seed N      makes a run again (default: drawn, and printed)

Exit status: 0; 1 if a process ended, its live heap grew by more than 32 MiB, a reply was wrong or a table of /server_info
is not empty afterwards.
END
}

main() {
  local install=false build=true frames=10000000 http=100000 seconds=3600 seed=$RANDOM$RANDOM port status=0
  while (($# > 0)); do
    case $1 in
      --frames | --http | --seconds | --seed)
        [[ ${2:-} =~ ^[0-9]{1,12}$ ]] || fail "$1 needs a whole number" "$EXIT_USAGE"
        ;;&
      --frames) frames=$2 && shift ;;
      --http) http=$2 && shift ;;
      --seconds) seconds=$2 && shift ;;
      --seed) seed=$2 && shift ;;
      --install) install=true ;;
      --no-build) build=false ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  [[ $build == false ]] || build_if_needed "$install"
  require_java "$install"
  role_jvm_flags bench
  own_topology
  port=$(free_port)
  start_topology --dp-size 2 --port "$port" --time-scale 0
  run_beside "$JAVA" "${JVM_FLAGS[@]}" -cp "$(module_jar bench):$ROOT/bench/target/lib/*" dpserve.bench.process.FuzzMain \
    --topology "$OWN_DIR/run/topology.json" --frames "$frames" --http "$http" --seconds "$seconds" --seed "$((10#$seed))" \
    || status=$?
  stop_topology || status=$EXIT_FAILURE
  return "$status"
}

main "$@"
