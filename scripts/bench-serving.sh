#!/usr/bin/env bash
# Measures a running server with a workload, as SGLang's bench_serving does. See --help and docs/benchmark.md.
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
  # jdk.console: newer JVMs otherwise give a console, and with it a progress bar, where the output is a file.
  exec "$JAVA" "${JVM_FLAGS[@]}" -Djdk.console=java.base -cp "$(module_jar bench):$ROOT/bench/target/lib/*" \
    dpserve.bench.process.BenchServingMain "${flags[@]}"
}

main "$@"
