#!/usr/bin/env bash
# Shows a running topology as a live table in the terminal, as lines when piped. See --help and docs/dashboard.md.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"

main() {
  local install=false build=true flags=() flag rows
  for flag in "$@"; do
    case $flag in
      --install) install=true ;;
      --no-build) build=false ;;
      *) flags+=("$flag") ;;
    esac
  done
  require_java "$install"
  [[ $build == false ]] || build_if_needed "$install" >&2
  if [[ -t 1 ]]; then
    rows=$(stty size </dev/tty 2>/dev/null || true)
    rows=${rows%% *}
    flags+=("--terminal-lines=$((${rows:-0} > 0 ? rows : 24))")
  fi
  role_jvm_flags bench
  exec "$JAVA" "${JVM_FLAGS[@]}" -cp "$(module_jar bench):$ROOT/bench/target/lib/*" dpserve.bench.process.TopMain "${flags[@]}"
}

main "$@"
