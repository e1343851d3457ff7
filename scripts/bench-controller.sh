#!/usr/bin/env bash
# What the controller costs, beside three other forwarders in the same run. See --help and docs/performance.md.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/python.sh"

readonly SOURCES=$ROOT/bench/forwarders
readonly VENV=$ROOT/.venv-bench
readonly WORK=$ROOT/target/bench-controller
readonly ALL=python,c,jeromq,dpserve,dpserve-int32

# The flags of the bare JeroMQ forwarder: a young generation that nothing survives.
readonly BARE_FLAGS=(-XX:+UseSerialGC -Xms700m -Xmx700m -Xmn600m)

usage() {
  cat <<END
Usage: scripts/bench-controller.sh [--install] [--runs N] [--forwarders NAME,...] [--port P] [--rate N] [--keep] [--json FILE]

Sends requests as a tokenizer worker does to a controller and takes them as 8 ranks do, which end each at once: saturation,
CPU of each thread, latency, the age of the load behind decisions under overload, memory, and the first two seconds.
Then the controller and the bare JeroMQ forwarder side by side. Prints one table and writes one JSON. About 40 s for each
forwarder and run, and 100 s for each run side by side.

  --install     install what is missing with apt: a JDK, Maven, gcc, libzmq3-dev, python3-venv
  --runs N      runs of each forwarder, of which the best counts (default: 3)
  --forwarders  some of $ALL (default: all)
  --port P      first of 22 ports on loopback (default: 22700)
  --rate N      requests a second for the latency (default: 25000)
  --keep        count the runs of the last time too
  --json FILE   (default: target/bench-controller/result.json)

Exit status: 0, also when a target is missed: figures depend on the machine.
END
}

# json_words WORD...
json_words() {
  local words=() word
  for word in "$@"; do
    words+=("$(json_string "$word")")
  done
  (
    IFS=,
    echo "[${words[*]}]"
  )
}

# require_c INSTALL: gcc and libzmq's headers.
require_c() {
  local missing=()
  command -v gcc >/dev/null || missing+=(gcc libc6-dev)
  echo '#include <zmq.h>' | gcc -E -x c - >/dev/null 2>&1 || missing+=(libzmq3-dev)
  ((${#missing[@]} == 0)) || require_packages "$1" "${missing[@]}"
}

main() {
  local install=false runs=3 forwarders=$ALL port=22700 rate=25000 keep=false json=$WORK/result.json controller bare
  while (($# > 0)); do
    case $1 in
      --install) install=true ;;
      --runs) runs=${2:?--runs needs a number} && shift ;;
      --forwarders) forwarders=${2:?--forwarders needs names} && shift ;;
      --port) port=${2:?--port needs a number} && shift ;;
      --rate) rate=${2:?--rate needs a number} && shift ;;
      --keep) keep=true ;;
      --json) json=${2:?--json needs a file} && shift ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  require_build_tools "$install"
  require_c "$install"
  build_if_needed "$install"
  require_venv "$install" "$VENV" "$SOURCES/requirements.txt"
  mkdir -p "$WORK"
  $keep || rm -f "$WORK/runs.jsonl"
  gcc -O2 -o "$WORK/load" "$SOURCES"/{load,zmtp,usage}.c -lm
  gcc -O2 -o "$WORK/forwarder" "$SOURCES/forwarder.c" -lzmq
  role_jvm_flags controller
  controller=$(json_words "$JAVA" "${JVM_FLAGS[@]}" -cp "$(role_class_path controller)" "${ROLE_MAIN[controller]}")
  bare=$(json_words "$JAVA" "${BARE_FLAGS[@]}" -cp "$(module_jar bench):$ROOT/bench/target/lib/*" dpserve.bench.process.BareForwarderMain)
  "$VENV/bin/python" "$SOURCES/bench_controller.py" --sources "$SOURCES" --folder "$WORK" --load "$WORK/load" \
    --forwarder "$WORK/forwarder" --controller "$controller" --bare "$bare" --port "$port" --forwarders "$forwarders" \
    --runs "$runs" --rate "$rate"
  "$VENV/bin/python" "$SOURCES/report.py" "$WORK/runs.jsonl" "$json"
  echo "JSON: $json"
}

main "$@"
