#!/usr/bin/env bash
# Starts one process of a topology, for hosts that run a part of it each. See --help and docs/operations.md.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"

usage() {
  cat <<'END'
Usage: scripts/start.sh tokenizer|detokenizer|controller|scheduler [FLAG...]

Starts one process in the foreground, with the JVM flags that launch.sh gives it. Its log goes to standard output, with the line
READY once it listens. SIGTERM or Ctrl-C ends it; a tokenizer lets running requests finish first.

The processes of a topology find each other in any order. Each is told where the others listen: --zmq-host ADDRESS if all but the
ranks are on one host, the flags --...-endpoints else. A rank on a host of its own, of a topology whose other processes are at
192.0.2.1, says where itself can be reached:

  scripts/start.sh scheduler --dp-rank 3 --dp-size 4 --zmq-host 192.0.2.1 --input-endpoint 'tcp://192.0.2.7:*' --curve-keys keys

Flags of this script:
  --install    install a missing JDK or Maven with apt
  --no-build   use the jars as they are
  --help       this text; with a role, the process's flags
END
}

main() {
  local role=${1:-} install=false build=true flags=() flag
  case $role in
    --help | -h) usage && return ;;
    '') fail "which process? tokenizer, detokenizer, controller or scheduler (--help tells more)" "$EXIT_USAGE" ;;
  esac
  [[ -n ${ROLE_MAIN[$role]:-} ]] || fail "'$role' is no process: tokenizer, detokenizer, controller or scheduler" "$EXIT_USAGE"
  for flag in "${@:2}"; do
    case $flag in
      --install) install=true ;;
      --no-build) build=false ;;
      *) flags+=("$flag") ;;
    esac
  done
  ! $build || build_if_needed "$install" >&2
  require_java "$install"
  role_jvm_flags "$role"
  exec "$JAVA" "${JVM_FLAGS[@]}" -Dorg.slf4j.simpleLogger.logFile=System.out \
    -cp "$(role_class_path "$role")" "${ROLE_MAIN[$role]}" "${flags[@]}"
}

main "$@"
