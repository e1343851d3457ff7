#!/usr/bin/env bash
# Stops the topology of one run folder: lets running requests finish, then ends its processes and no others.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/run-folder.sh"
source "$LIB/processes.sh"

# Beyond the launcher's own time limit: it must have had time to kill what did not end.
readonly LAUNCHER_GRACE_S=15

usage() {
  echo "Usage: scripts/stop.sh [--run-dir DIR] [--stop-timeout-s SECONDS]"
  echo "  --run-dir DIR              run folder of the topology (default: run/ in the repository)"
  echo "  --stop-timeout-s SECONDS   longest wait for the processes to end by themselves; then they are killed (default: 30)"
}

main() {
  local dir=$ROOT/run timeout=30 launcher start
  while (($# > 0)); do
    case $1 in
      --run-dir | --stop-timeout-s) (($# > 1)) || fail "$1 needs a value" "$EXIT_USAGE" ;;&
      --run-dir) dir=$2 && shift ;;
      --run-dir=*) dir=${1#*=} ;;
      --stop-timeout-s) timeout=$2 && shift ;;
      --stop-timeout-s=*) timeout=${1#*=} ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  [[ $timeout =~ ^[0-9]{1,4}$ ]] || fail "--stop-timeout-s must be a whole number of seconds, not '$timeout'" "$EXIT_USAGE"
  [[ -e $dir/$RUN_MARK ]] || fail "$dir is not a run folder"
  RUN_DIR=$(cd "$dir" && pwd -P)
  launcher=$(launcher_pid)
  if [[ -n $launcher ]]; then
    start=$(process_start_time "$launcher") || true
    kill -TERM "$launcher" 2>/dev/null || true
    NAMES=(launcher)
    PID[launcher]=$launcher
    START[launcher]=$start
    await_end $((SECONDS + timeout + LAUNCHER_GRACE_S)) launcher || echo "the launcher (pid $launcher) did not end" >&2
  fi
  load_pids # left over when the launcher itself was killed
  if ((${#NAMES[@]} == 0)) && [[ -z $launcher ]]; then
    close_run_dir
    echo "nothing runs in $RUN_DIR"
    return
  fi
  stop_processes "$timeout" || exit "$EXIT_FAILURE"
  close_run_dir
  echo "stopped"
}

main "$@"
