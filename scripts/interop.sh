#!/usr/bin/env bash
# Runs this project against the released SGLang package. See --help and docs/interop.md.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/python.sh"

readonly VENV=$ROOT/.venv
readonly SGLANG_VENV=$ROOT/.venv-sglang
readonly WORK=$ROOT/target/interop
readonly CLASSES=$WORK/classes

usage() {
  echo "Usage: scripts/interop.sh [--install] [--sglang] [--seed N] [--count N] [--port N]"
  echo "Compares every message with SGLang's definitions, and runs Python in SGLang's roles against the Java processes."
  echo "  --install   install what is missing with apt: a JDK, Maven, python3-venv"
  echo "  --sglang    run SGLang's own processes on the CPU instead (installs torch: 6 GB; takes some minutes)"
  echo "  --port N    first HTTP port of the pairs (default: 28200)"
  echo "  --seed N    seed of the random messages (default: 1)"
  echo "  --count N   random messages of each kind (default: 50)"
}

# compile_frames: the Java end of the layout comparison, which stands among the codec's tests.
compile_frames() {
  local tests=$ROOT/common-io/src/test/java/dpserve/io/codec
  mkdir -p "$CLASSES"
  javac -nowarn -d "$CLASSES" -cp "$1" "$tests/RandomMessages.java" "$tests/InteropFrames.java"
}

# print_versions VENV PACKAGE...
print_versions() {
  "$1/bin/python" - "${@:2}" <<'PYTHON'
import importlib.metadata as packages
import platform
import sys

print("versions: Python", platform.python_version(), *(f"{n} {packages.version(n)}" for n in sys.argv[1:]))
PYTHON
  local jars=("$ROOT"/scheduler/target/lib/{jeromq,msgpack-core}-*.jar)
  jars=("${jars[@]##*/}")
  echo "versions: Java $("$JAVA" -version 2>&1 | sed -n 's/.* version "\([^"]*\)".*/\1/p') ${jars[*]%.jar}"
}

check_layouts() {
  local class_path
  class_path=$(role_class_path scheduler)
  compile_frames "$class_path"
  "$VENV/bin/python" "$ROOT/interop/layouts.py" --java-classes "$CLASSES:$class_path" --seed "$1" --count "$2"
}

main() {
  local install=false sglang=false seed=1 count=50 port=28200
  while (($# > 0)); do
    case $1 in
      --install | --install=true) install=true ;;
      --install=false) install=false ;;
      --sglang) sglang=true ;;
      --seed) seed=${2:?--seed needs a number} && shift ;;
      --count) count=${2:?--count needs a number} && shift ;;
      --port) port=${2:?--port needs a number} && shift ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  require_build_tools "$install"
  build_if_needed "$install"
  require_venv "$install" "$VENV" "$ROOT/interop/requirements.txt"
  mkdir -p "$WORK"
  "$VENV/bin/python" "$ROOT/interop/tokenizer_files.py" "$ROOT"/tokenizer/target/lib/jtokkit-*.jar "$WORK/model" 2>/dev/null
  if $sglang; then
    require_venv "$install" "$SGLANG_VENV" "$ROOT/interop/requirements-sglang.txt"
    print_versions "$SGLANG_VENV" sglang torch transformers msgspec pyzmq
    "$SGLANG_VENV/bin/python" "$ROOT/interop/pairs.py" --model "$WORK/model" --folder "$WORK" --port "$port" --sglang
  else
    print_versions "$VENV" sglang msgspec pyzmq pydantic numpy
    check_layouts "$seed" "$count"
    "$VENV/bin/python" "$ROOT/interop/pairs.py" --model "$WORK/model" --folder "$WORK" --port "$port"
  fi
  echo "interop: all passed in $SECONDS s"
}

main "$@"
