#!/usr/bin/env bash
# Tests --tokenizer-path: the module, then a topology with a small vocabulary and chat template of its own.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"

PORT=31900
readonly SHOWN='^\[ERROR\]|Tests run:|BUILD'

usage() {
  echo "Usage: scripts/dev/test-huggingface.sh [--port PORT] [--install]"
  echo "  --port PORT   HTTP port of the topology (default: $PORT)"
  echo "  --install     install what is missing with apt: a JDK, Maven"
}

# run_tests PATTERN
run_tests() {
  mvn -B -ntp -f "$ROOT/pom.xml" -Phuggingface -pl huggingface -am verify -Dspotless.check.skip=true -Dtest="$1" \
    -Dsurefire.failIfNoSpecifiedTests=false </dev/null | grep -E --line-buffered "$SHOWN"
}

stop_topology() {
  bash "$ROOT/scripts/stop.sh" --run-dir "$OWN_FOLDER/run" || true
  rm -rf "$OWN_FOLDER"
}

main() {
  local install=false
  while (($# > 0)); do
    case $1 in
      --port)
        (($# > 1)) || fail "--port needs a number" "$EXIT_USAGE"
        PORT=$2
        shift
        ;;
      --install | --install=true) install=true ;;
      --install=false) ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  require_build_tools "$install"
  run_tests 'dpserve.huggingface.*Test'
  OWN_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/dpserve-huggingface.XXXXXX")
  trap stop_topology EXIT
  mkdir "$OWN_FOLDER/tokenizer"
  java -cp "$ROOT/huggingface/target/test-classes:$ROOT/huggingface/target/lib/*" dpserve.huggingface.TestTokenizers \
    "$OWN_FOLDER/tokenizer"
  bash "$ROOT/scripts/launch.sh" --tokenizer-path "$OWN_FOLDER/tokenizer" --dp-size 2 --time-scale 0.1 --port "$PORT" \
    --run-dir "$OWN_FOLDER/run" --detach
  export DPSERVE_TEST_URL=http://127.0.0.1:$PORT DPSERVE_TEST_TOKENIZER=$OWN_FOLDER/tokenizer
  run_tests 'LiveTopologyTest'
}

main "$@"
