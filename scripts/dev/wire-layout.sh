#!/usr/bin/env bash
# Prints the message layouts of the pinned SGLang release, and with --golden remakes the golden bytes of the codec's tests.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/python.sh"

readonly VENV=$ROOT/.venv
readonly GOLDEN=$ROOT/common-io/src/test/resources/golden/messages.txt

main() {
  local golden=false
  while (($# > 0)); do
    case $1 in
      --golden) golden=true ;;
      --help)
        echo "Usage: scripts/dev/wire-layout.sh [--golden]"
        echo "  --golden   remake $GOLDEN instead of printing layouts"
        return
        ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  require_venv false "$VENV" "$ROOT/interop/requirements.txt"
  if $golden; then
    mkdir -p "$(dirname "$GOLDEN")"
    "$VENV/bin/python" "$ROOT/scripts/dev/wire_layout.py" --golden "$GOLDEN"
    echo "wrote $(wc -l <"$GOLDEN") lines to $GOLDEN"
  else
    "$VENV/bin/python" "$ROOT/scripts/dev/wire_layout.py" --layouts
  fi
}

main "$@"
