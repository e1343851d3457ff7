#!/usr/bin/env bash
# Fuzzes the decoder of frames and the parsers of request bodies with Jazzer, guided by coverage. See --help.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"

readonly JAZZER=0.30.0
readonly WORK=$ROOT/target/fuzz

usage() {
  echo "Usage: scripts/dev/fuzz-decoders.sh [--install] [SECONDS]"
  echo "Fuzzes each of the two targets of bench/src/test/java/dpserve/bench/fuzz for SECONDS (default: 60), beginning with the"
  echo "kept examples and with what earlier runs found (target/fuzz). What breaks a target is left there as crash-..."
  echo "Exit status: 0, or 1 if a target broke."
}

main() {
  local install=false seconds=60 target kind path status=0
  while (($# > 0)); do
    case $1 in
      --install) install=true ;;
      --help) usage && return ;;
      *)
        [[ $1 =~ ^[1-9][0-9]{0,5}$ ]] || fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE"
        seconds=$1
        ;;
    esac
    shift
  done
  require_build_tools "$install"
  mvn -q -B -ntp -f "$ROOT/pom.xml" -pl bench -am package -DskipTests </dev/null
  mvn -q -B -ntp dependency:copy "-Dartifact=com.code-intelligence:jazzer:$JAZZER" "-DoutputDirectory=$WORK" </dev/null
  mvn -q -B -ntp dependency:copy "-Dartifact=com.code-intelligence:jazzer-api:$JAZZER" "-DoutputDirectory=$WORK" </dev/null
  path="$ROOT/bench/target/test-classes:$ROOT/bench/target/classes:$ROOT/bench/target/lib/*"
  for target in Frame:frames Body:http; do
    kind=${target#*:}
    mkdir -p "$WORK/$kind"
    echo "${target%:*}Target for $seconds s"
    (
      cd "$WORK"
      exec "$JAVA" -cp "$WORK/jazzer-$JAZZER.jar:$WORK/jazzer-api-$JAZZER.jar:$path" \
        com.code_intelligence.jazzer.Jazzer "--target_class=dpserve.bench.fuzz.${target%:*}Target" \
        "--instrumentation_includes=dpserve.**" "-max_total_time=$seconds" -print_final_stats=1 "$WORK/$kind" \
        "$ROOT/bench/src/main/resources/dpserve/bench/fuzz/$kind"
    ) >"$WORK/$kind.log" 2>&1 || status=$EXIT_FAILURE
    grep -E '^stat::number_of_executed_units|^stat::average_exec|== Java Exception|Test unit written' "$WORK/$kind.log" || tail -n 5 "$WORK/$kind.log"
  done
  return "$status"
}

main "$@"
