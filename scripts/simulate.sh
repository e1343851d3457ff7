#!/usr/bin/env bash
# Runs the production controller, policies and schedulers in virtual time. See --help and docs/simulator.md.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"

main() {
  local install=false build=true flags=() flag
  for flag in "$@"; do
    case $flag in
      --install) install=true ;;
      --no-build) build=false ;;
      *) flags+=("$flag") ;;
    esac
  done
  require_java "$install"
  [[ $build == false ]] || build_if_needed "$install" >&2
  role_jvm_flags bench
  # A line for every rank that comes up would hide the result.
  exec "$JAVA" "${JVM_FLAGS[@]}" -Dorg.slf4j.simpleLogger.log.dpserve.controller=warn \
    -cp "$(module_jar bench):$ROOT/bench/target/lib/*" dpserve.bench.process.SimulateMain "${flags[@]}"
}

main "$@"
