#!/usr/bin/env bash
# Times each message in the process that writes or reads it, and a token in the detokenizer, with JMH (about 2 minutes once built).
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
    --help) echo "Usage: scripts/dev/bench-codecs.sh [--install]" && return ;;
    *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
  esac
  require_build_tools "$install"
  mvn -q -B -ntp -f "$ROOT/pom.xml" -Pjmh -pl bench -am process-test-classes </dev/null
  path="$ROOT/bench/target/jmh-classes:$ROOT/bench/target/jmh-lib/*"
  for module in common-io tokenizer controller scheduler bench; do
    path+=:$ROOT/$module/target/classes
  done
  exec "$JAVA" -cp "$path" org.openjdk.jmh.Main CodecCost -prof gc -jvmArgs "-XX:+UseSerialGC -Xmx512m"
}

main "$@"
