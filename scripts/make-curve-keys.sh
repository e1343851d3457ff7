#!/usr/bin/env bash
# Makes the key pair for --curve-keys. See --help.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"

usage() {
  cat <<'END'
Usage: scripts/make-curve-keys.sh [--install] [--no-build] FOLDER

Makes a CURVE key pair in FOLDER, readable by you alone. Copy the folder to every host of the topology over a safe way and
give each process --curve-keys FOLDER: then all ZeroMQ connections are encrypted, and only holders of the pair take part.
END
}

main() {
  local install=false build=true folder=
  while (($# > 0)); do
    case $1 in
      --install) install=true ;;
      --no-build) build=false ;;
      --help) usage && return ;;
      -*) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
      *)
        [[ -z $folder ]] || fail "one FOLDER, not more" "$EXIT_USAGE"
        folder=$1
        ;;
    esac
    shift
  done
  [[ -n $folder ]] || fail "FOLDER is missing (--help)" "$EXIT_USAGE"
  [[ $build == false ]] || build_if_needed "$install"
  require_java "$install"
  exec "$JAVA" -cp "$ROOT/controller/target/lib/*" dpserve.io.process.MakeCurveKeysMain "$folder"
}

main "$@"
