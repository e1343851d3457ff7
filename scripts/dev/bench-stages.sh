#!/usr/bin/env bash
# Times what the stage times of one request cost, with and without its stamps, with JMH (about 45 s once built).
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"

main() {
  local module path install=false
  case ${1:-} in
    '') ;;
    --install) install=true ;;
    --help) echo "Usage: scripts/dev/bench-stages.sh [--install]" && return ;;
    *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
  esac
  require_build_tools "$install"
  mvn -q -B -ntp -f "$ROOT/pom.xml" -Pjmh -pl bench -am process-test-classes </dev/null
  path="$ROOT/bench/target/jmh-classes:$ROOT/bench/target/jmh-lib/*"
  for module in common-io tokenizer controller scheduler bench; do
    path+=:$ROOT/$module/target/classes
  done
  exec "$JAVA" -cp "$path" org.openjdk.jmh.Main StagesCost -prof gc -jvmArgs "-XX:+UseSerialGC -Xmx512m"
}

main "$@"
