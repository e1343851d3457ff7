#!/usr/bin/env bash
# Starts the data-parallel controller alone, with the JVM flags that launch.sh gives it. See --help.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"

usage() {
  cat <<'END'
Usage: scripts/controller.sh --input tcp://HOST:PORT --worker-endpoints tcp://HOST:PORT[,...] [FLAG...]

Starts the data-parallel controller without any other process, for measurements and for SGLang's own peers. It connects a PULL
to the input, where a peer listens with its PUSH, and listens with one PUSH for each worker endpoint. Its log, with
the line READY once it listens, goes to standard output. SIGTERM or Ctrl-C ends it.

Nobody has to say hello: requests and WatchLoadUpdateReq are taken as they come, and requests forwarded byte for byte.
Builds first if needed.

  scripts/controller.sh --input tcp://127.0.0.1:31000 \
    --worker-endpoints tcp://127.0.0.1:31001,tcp://127.0.0.1:31002 --load-balance-method total_tokens

Flags of this script:
  --install    install a missing JDK or Maven with apt
  --no-build   use the jars as they are
  --help       this text, and the controller's flags
END
}

# given FLAG ARGUMENT...: whether the flag is among the arguments, in either form.
given() {
  local flag=$1 argument
  for argument in "${@:2}"; do
    [[ $argument != "$flag" && $argument != "$flag="* ]] || return 0
  done
  return 1
}

main() {
  local install=false build=true help=false flags=() flag
  while (($# > 0)); do
    case $1 in
      --install) install=true ;;
      --no-build) build=false ;;
      --help | -h) help=true ;;
      *) flags+=("$1") ;;
    esac
    shift
  done
  if $help; then
    usage
    flags=(--help)
  else
    for flag in --input --worker-endpoints; do
      given "$flag" "${flags[@]}" || fail "missing $flag (--help tells more)" "$EXIT_USAGE"
    done
  fi
  require_java "$install"
  ! $build || build_if_needed "$install" >&2
  role_jvm_flags controller
  exec "$JAVA" "${JVM_FLAGS[@]}" -Dorg.slf4j.simpleLogger.logFile=System.out \
    -cp "$(role_class_path controller)" "${ROLE_MAIN[controller]}" "${flags[@]}"
}

main "$@"
