#!/usr/bin/env bash
# Times one decision of each policy over 8, 64 and 1,024 ranks, and what it allocates, with JMH. See --help.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"

# Milliseconds of each of the 3 warm-up and 5 measured iterations.
readonly FULL_MS=500
readonly QUICK_MS=100

usage() {
  echo "Usage: scripts/dev/bench-policies.sh [--install] [--quick] [POLICY...]"
  echo "  --install  install a missing JDK or Maven with apt"
  echo "  --quick    a fifth of the time (about 2 instead of 7 minutes), for a first look"
  echo "Exit status: 0, 1 if a policy takes over 1 microsecond at 64 ranks or allocates."
}

main() {
  local install=false ms=$FULL_MS policies=() module path
  while (($# > 0)); do
    case $1 in
      --install) install=true ;;
      --quick) ms=$QUICK_MS ;;
      --help) usage && return ;;
      -*) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
      *) policies+=("$1") ;;
    esac
    shift
  done
  require_build_tools "$install"
  mvn -q -B -ntp -f "$ROOT/pom.xml" -Pjmh -pl bench -am process-test-classes </dev/null
  path="$ROOT/bench/target/jmh-classes:$ROOT/bench/target/jmh-lib/*"
  for module in common-io tokenizer controller scheduler bench; do
    path+=:$ROOT/$module/target/classes
  done
  exec "$JAVA" -cp "$path" dpserve.bench.jmh.BenchPolicies "$ms" "${policies[@]}"
}

main "$@"
