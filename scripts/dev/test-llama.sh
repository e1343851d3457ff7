#!/usr/bin/env bash
# Tests --engine llama with a real model: SmolLM2-135M-Instruct, fetched if needed, or the GGUF file that DPSERVE_TEST_GGUF
# names. First the module, then a topology of two ranks and a pair of servers against the plain library.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"

PORT=31700
PAIR=
readonly SHOWN='^(llama:|\[ERROR\])|Tests run:|BUILD'

usage() {
  echo "Usage: scripts/dev/test-llama.sh [--port PORT] [--offline]"
  echo "  --port PORT   HTTP port of the topology (default: $PORT)"
  echo "  --offline     do nothing, and say so, if the model is not on this machine"
}

# run_tests PATTERN
run_tests() {
  mvn -B -ntp -f "$ROOT/pom.xml" -Pllama -pl llama -am verify -Dspotless.check.skip=true -Dtest="$1" \
    -Dsurefire.failIfNoSpecifiedTests=false </dev/null | grep -E --line-buffered "$SHOWN"
}

stop_all() {
  if [[ -n $PAIR ]]; then
    kill -TERM "$PAIR" 2>/dev/null || true
    wait "$PAIR" || true
    PAIR=
  else
    bash "$ROOT/scripts/stop.sh" --run-dir "$RUN_FOLDER/whole" || true
  fi
}

# start_pair FLAG...: a prefill and a decode server behind a router on $PORT.
start_pair() {
  : >"$RUN_FOLDER/pair.log"
  bash "$ROOT/scripts/launch-pd.sh" --no-build --port "$PORT" --prefill-port $((PORT - 300)) --decode-port $((PORT - 600)) \
    --disaggregation-bootstrap-port $((PORT + 1)) --run-dir "$RUN_FOLDER/pair" "$@" >"$RUN_FOLDER/pair.log" 2>&1 &
  PAIR=$!
  until grep -q '(PD router;' "$RUN_FOLDER/pair.log"; do
    kill -0 "$PAIR" 2>/dev/null || fail "the servers did not start, see $RUN_FOLDER/pair.log"
    sleep 0.2
  done
}

main() {
  local offline=false flags=()
  while (($# > 0)); do
    case $1 in
      --port)
        (($# > 1)) || fail "--port needs a number" "$EXIT_USAGE"
        PORT=$2
        shift
        ;;
      --offline) offline=true ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  if [[ $offline == true && -z ${DPSERVE_TEST_GGUF:-} && -z $(find "$ROOT/target/models" -name '*.gguf' 2>/dev/null) ]]; then
    echo "llama: skipped, no model on this machine; scripts/dev/test-llama.sh fetches one"
    return
  fi
  require_build_tools false
  DPSERVE_TEST_GGUF=${DPSERVE_TEST_GGUF:-$(bash "$ROOT/scripts/dev/fetch-smollm2.sh")}
  export DPSERVE_TEST_GGUF
  echo "model: $DPSERVE_TEST_GGUF"
  run_tests 'dpserve.llama.*Test'
  RUN_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/dpserve-llama.XXXXXX")
  trap stop_all EXIT
  flags=(--engine llama --model-path "$DPSERVE_TEST_GGUF" --served-model-name smollm2)
  export DPSERVE_TEST_URL=http://127.0.0.1:$PORT
  echo "a topology of two ranks"
  bash "$ROOT/scripts/launch.sh" "${flags[@]}" --dp-size 2 --port "$PORT" --run-dir "$RUN_FOLDER/whole" --detach
  run_tests 'LiveTopologyTest'
  stop_all
  echo "a prefill server and a decode server"
  start_pair "${flags[@]}" --dp-size 2
  run_tests 'LiveTopologyTest'
  stop_all
  trap - EXIT
  rm -rf "$RUN_FOLDER"
}

main "$@"
