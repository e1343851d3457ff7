#!/usr/bin/env bash
# Prints the message layouts of the pinned SGLang release, and with --golden remakes the golden bytes of the codec's tests.
set -euo pipefail

SGLANG_VERSION=0.5.23
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
venv="$root/.venv"
golden=0

usage() {
  cat <<USAGE
usage: wire-layout.sh [--golden] [--venv DIR]
  --golden    remake common-io/src/test/resources/golden/messages.txt instead of printing layouts
  --venv DIR  where the Python environment lies (default: .venv in the repository)
USAGE
}

while (($#)); do
  case "$1" in
    --golden) golden=1 ;;
    --venv) venv=${2:?--venv needs a directory}; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

if ! "$venv/bin/python" -c 'import sglang_version_marker' 2>/dev/null; then
  if ! python3 -m venv "$venv"; then
    echo "error: python3-venv is missing; install it with: sudo apt-get install -y python3-venv" >&2
    exit 1
  fi
  # Without its dependencies: only the message definitions are needed, and they need no device.
  "$venv/bin/pip" install -q --no-deps "sglang==$SGLANG_VERSION"
  "$venv/bin/pip" install -q msgspec==0.22.0 numpy pyzmq pydantic
  site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
  echo "VERSION = '$SGLANG_VERSION'" >"$site/sglang_version_marker.py"
fi

if ((golden)); then
  file="$root/common-io/src/test/resources/golden/messages.txt"
  mkdir -p "$(dirname "$file")"
  "$venv/bin/python" "$root/scripts/dev/wire_layout.py" --golden "$file"
  echo "wrote $(wc -l <"$file") lines to $file"
else
  "$venv/bin/python" "$root/scripts/dev/wire_layout.py" --layouts
fi
