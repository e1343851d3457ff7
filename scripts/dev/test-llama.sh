#!/usr/bin/env bash
# Tests the llama module with a real model: SmolLM2-135M-Instruct, fetched if needed, or the GGUF file that
# DPSERVE_TEST_GGUF names. Arguments go to fetch-smollm2.sh (--dir DIR).
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"

require_build_tools false
DPSERVE_TEST_GGUF=${DPSERVE_TEST_GGUF:-$("$ROOT/scripts/dev/fetch-smollm2.sh" "$@")}
export DPSERVE_TEST_GGUF
echo "model: $DPSERVE_TEST_GGUF"
# Only this module's tests: those of common-io run in the default build.
mvn -q -B -ntp -f "$ROOT/pom.xml" -Pllama -pl common-io package -DskipTests
mvn -B -ntp -f "$ROOT/pom.xml" -Pllama -pl llama -am verify -Dtest='dpserve.llama.*Test' -Dsurefire.failIfNoSpecifiedTests=false \
  | grep -E --line-buffered '^(llama:|\[ERROR\])|Tests run:|BUILD'
