#!/usr/bin/env bash
# Runs every test: scripts, formatting, units, that benchmarks and optional modules compile, the whole topology, the released SGLang package, the clients people use, the live page in a browser, a vocabulary of Hugging Face's kind, a topology over several hosts where it can make network namespaces; then the unit tests on Java 25 where there is one.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"

readonly LOG=$ROOT/target/test.log
readonly LOG_OPTIONAL=$ROOT/target/test-optional.log
readonly LOG_25=$ROOT/target/test-java25.log

# What Maven says that is worth a look while it runs.
readonly SHOWN='Tests run:|^\[ERROR\]|^\[INFO\] Building dpserve|^\[INFO\] Building [a-z-]+ |BUILD|Total time'
readonly SUMMARY='^\[(INFO|WARNING|ERROR)\] Tests run: [0-9]+, Failures: [0-9]+, Errors: [0-9]+, Skipped: [0-9]+$'

usage() {
  echo "Usage: scripts/test.sh [--install] [--unit]"
  echo "  --install   install what is missing with apt: a JDK, Maven, shellcheck, python3-venv, Node.js, Prometheus, Chromium"
  echo "  --unit      leave out the tests that start the whole topology"
}

# check_scripts INSTALL
check_scripts() {
  if ! command -v shellcheck >/dev/null; then
    if [[ $1 != true ]]; then
      echo "shellcheck: not installed, scripts not checked (--install installs it)"
      return
    fi
    install_packages shellcheck
  fi
  # Names that a library sets for its users, or takes from them, look unused or misspelt in the file alone.
  shellcheck -x "$ROOT"/scripts/*.sh "$ROOT"/scripts/dev/*.sh "$ROOT"/deploy/kubernetes/*.sh "$ROOT/.ci/run"
  shellcheck -e SC2034,SC2153 "$ROOT"/scripts/lib/*.sh
  echo "shellcheck: no findings"
}

# run_maven LOG ARGUMENT...: shows the telling lines as they come and, after a failure, the end of the log.
run_maven() {
  local log=$1 status=0
  shift
  mvn -B -ntp -f "$ROOT/pom.xml" "$@" </dev/null 2>&1 | tee "$log" | { grep --line-buffered -E "$SHOWN" || true; } || status=$?
  if ((status != 0)); then
    echo "failed; the end of $log:" >&2
    tail -n 40 "$log" >&2
    return "$status"
  fi
}

# java_25: the home of a JDK 25, if there is one.
java_25() {
  local home
  for home in "${JAVA25_HOME:-}" /usr/lib/jvm/*-25-*; do
    if [[ -n $home && -x $home/bin/java ]]; then
      echo "$home"
      return
    fi
  done
}

main() {
  local install=false goals=(verify -Pit) home25
  while (($# > 0)); do
    case $1 in
      --install) install=true ;;
      --unit) goals=(verify) ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  require_build_tools "$install"
  mkdir -p "$ROOT/target"
  check_scripts "$install"
  run_maven "$LOG" "${goals[@]}"
  echo "compiling what no other build does: the JMH benchmarks, the optional module llama and its tests"
  run_maven "$LOG_OPTIONAL" -q test-compile -Pjmh,llama -pl bench,llama -am
  if [[ ${goals[*]} == *-Pit* ]]; then
    bash "$ROOT/scripts/interop.sh" "--install=$install"
    bash "$ROOT/scripts/dev/clients.sh" "--install=$install"
    bash "$ROOT/scripts/dev/dashboard.sh" "--install=$install"
    bash "$ROOT/scripts/dev/test-huggingface.sh" "--install=$install"
    bash "$ROOT/scripts/test-hosts.sh" --quick --if-possible
  fi
  home25=$(java_25)
  if [[ -n $home25 ]]; then
    echo "unit tests again on $home25"
    run_maven "$LOG_25" test "-Djvm=$home25/bin/java" "-Dtest.jvm.args=--sun-misc-unsafe-memory-access=allow"
  else
    echo "no JDK 25 found (JAVA25_HOME): not tested on it"
  fi
  echo
  echo "Summary (took $((SECONDS / 60)) min $((SECONDS % 60)) s; per module, in build order):"
  grep -hE "$SUMMARY" "$LOG"
  if [[ -n $home25 ]]; then
    echo "On Java 25:"
    grep -hE "$SUMMARY" "$LOG_25"
  fi
}

main "$@"
