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
readonly CLASSES=$ROOT/target/interop-classes

usage() {
  echo "Usage: scripts/interop.sh [--install] [--seed N] [--count N]"
  echo "  --install   install what is missing with apt: a JDK, Maven, python3-venv"
  echo "  --seed N    seed of the random messages (default: 1)"
  echo "  --count N   random messages of each kind (default: 50)"
}

# compile_frames: the Java end of the layout comparison, which stands among the codec's tests.
compile_frames() {
  local tests=$ROOT/common-io/src/test/java/dpserve/io/codec
  mkdir -p "$CLASSES"
  javac -nowarn -d "$CLASSES" -cp "$1" "$tests/RandomMessages.java" "$tests/InteropFrames.java"
}

print_versions() {
  "$VENV/bin/python" - <<'PYTHON'
import importlib.metadata as packages
import platform

names = ("sglang", "msgspec", "pyzmq", "pydantic", "numpy")
print("versions: Python", platform.python_version(), *(f"{n} {packages.version(n)}" for n in names))
PYTHON
  local jars=("$ROOT"/scheduler/target/lib/{jeromq,msgpack-core}-*.jar)
  jars=("${jars[@]##*/}")
  echo "versions: Java $("$JAVA" -version 2>&1 | sed -n 's/.* version "\([^"]*\)".*/\1/p') ${jars[*]%.jar}"
}

main() {
  local install=false seed=1 count=50 class_path
  while (($# > 0)); do
    case $1 in
      --install | --install=true) install=true ;;
      --install=false) install=false ;;
      --seed) seed=${2:?--seed needs a number} && shift ;;
      --count) count=${2:?--count needs a number} && shift ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  require_build_tools "$install"
  build_if_needed "$install"
  require_venv "$install" "$VENV" "$ROOT/interop/requirements.txt"
  print_versions
  class_path=$(role_class_path scheduler)
  compile_frames "$class_path"
  "$VENV/bin/python" "$ROOT/interop/layouts.py" --java-classes "$CLASSES:$class_path" --seed "$seed" --count "$count"
  echo "interop: all passed in $SECONDS s"
}

main "$@"
