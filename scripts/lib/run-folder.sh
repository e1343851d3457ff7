# shellcheck shell=bash
# The folder that holds everything of one run: logs/, pids, topology.json, and a lock held by its launcher.

# Present in every run folder, so that no other folder is ever taken for one.
readonly RUN_MARK=.dpserve-run

# Processes by name ("controller", "scheduler 0", ...), in order of their start.
NAMES=()
declare -A PID START

# open_run_dir DIR: makes or checks the folder and takes its lock; sets RUN_DIR and LOCK_FD.
open_run_dir() {
  make_run_dir "$1"
  exec {LOCK_FD}>"$RUN_DIR/lock"
  flock -n "$LOCK_FD" || fail_in_use
  rm -rf "$RUN_DIR/logs" "$RUN_DIR/tmp" "$RUN_DIR/rank-requests"
  rm -f "$RUN_DIR/topology.json" "$RUN_DIR/pids"
  mkdir "$RUN_DIR/logs" "$RUN_DIR/tmp"
  echo "$$ $(process_start_time $$) launcher" >"$RUN_DIR/pids"
}

# make_run_dir DIR: sets RUN_DIR.
make_run_dir() {
  check_run_dir "$1"
  umask 077
  mkdir -p "$1" || fail "cannot make the run folder $1"
  RUN_DIR=$(cd "$1" && pwd -P)
  chmod 700 "$RUN_DIR"
  : >"$RUN_DIR/$RUN_MARK"
}

# check_run_dir DIR: ends the script if DIR is in use or is not a run folder; changes nothing.
check_run_dir() {
  [[ -e $1 ]] || return 0
  [[ -d $1 ]] || fail "the run folder $1 is not a folder"
  if [[ ! -e $1/$RUN_MARK && -n $(ls -A "$1") ]]; then
    fail "$1 is not empty and not a run folder; choose another --run-dir"
  fi
  RUN_DIR=$(cd "$1" && pwd -P)
  load_pids
  ((${#NAMES[@]} == 0)) || fail_in_use
  [[ -z $(launcher_pid) ]] || fail_in_use
}

fail_in_use() {
  fail "the run folder $RUN_DIR is in use by a running topology; stop it with scripts/stop.sh --run-dir $(quoted "$RUN_DIR") or choose another --run-dir"
}

# quoted TEXT: as a word of a shell command.
quoted() {
  if [[ $1 =~ ^[A-Za-z0-9_./:=-]+$ ]]; then
    echo "$1"
  else
    echo "'${1//\'/\'\\\'\'}'"
  fi
}

# launcher_pid: the pid of the launcher recorded in RUN_DIR, if that process still runs.
launcher_pid() {
  local pid start name
  [[ -r $RUN_DIR/pids ]] || return 0
  while read -r pid start name; do
    if [[ $name == launcher ]] && is_running "$pid" "$start"; then
      echo "$pid"
    fi
  done <"$RUN_DIR/pids"
}

# load_pids: fills NAMES, PID and START with the recorded processes that still run, the launcher not among them.
load_pids() {
  local pid start name
  NAMES=()
  [[ -r $RUN_DIR/pids ]] || return 0
  while read -r pid start name; do
    if [[ $name != launcher ]] && is_running "$pid" "$start"; then
      NAMES+=("$name")
      PID[$name]=$pid
      START[$name]=$start
    fi
  done <"$RUN_DIR/pids"
}

# close_run_dir: leaves the logs of the run, removes the rest.
close_run_dir() {
  rm -rf "$RUN_DIR/tmp" "$RUN_DIR/rank-requests"
  rm -f "$RUN_DIR/topology.json" "$RUN_DIR/pids" "$RUN_DIR/lock" "$RUN_DIR/rank.lock"
}
