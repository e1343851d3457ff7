#!/usr/bin/env bash
# The container's command: start.sh, with the mounted CURVE keys (a Secret's files can be read by a group) copied to where
# they are this user's alone, as --curve-keys wants them.
set -euo pipefail
readonly MOUNTED=/etc/dpserve/curve OWN=/tmp/curve
if [[ -d $MOUNTED ]]; then
  umask 077
  mkdir -p "$OWN"
  cp -L "$MOUNTED"/* "$OWN"
fi
exec bash "$(dirname "${BASH_SOURCE[0]}")/../../scripts/start.sh" "$@" --no-build
