#!/usr/bin/env bash
# Decides again what a decision record of the controller holds. See --help and docs/decisions.md.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
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
  exec "$JAVA" "${JVM_FLAGS[@]}" -cp "$(module_jar bench):$ROOT/bench/target/lib/*" \
    dpserve.bench.process.ReplayDecisionsMain "${flags[@]}"
}

main "$@"
