# shellcheck shell=bash
# Successors of processes that died. Needs processes.sh, flags.sh and report.sh. A wait is a child of its own (sleep), so the
# supervisor sits in one `wait` for deaths and for the end of waits alike.

# A process that dies at once must not keep the machine busy: the wait doubles from the first to the last of these, and
# begins anew once it has lived as long as the third. The first is short: without a controller no request begins.
readonly RESTART_FIRST_MS=100
readonly RESTART_LAST_MS=30000
readonly RESTART_FORGET_S=60

# How often the log of a new process is looked at for READY.
readonly RESTART_LOOK_S=0.2

declare -A TIMER                   # by pid of a wait: "start NAME", "ready NAME", "kill NAME" or "look"
declare -A RESTART_MS RESTARTED_AT # by name

# plan_restart NAME: its successor starts after the wait. The dead one has been reaped.
plan_restart() {
  local delay=${RESTART_MS[$1]:-$RESTART_FIRST_MS}
  if ((SECONDS - ${RESTARTED_AT[$1]:-0} >= RESTART_FORGET_S)); then
    delay=$RESTART_FIRST_MS
  fi
  RESTART_MS[$1]=$((delay * 2 < RESTART_LAST_MS ? delay * 2 : RESTART_LAST_MS))
  echo "$1 is started again in $delay ms"
  set_timer "$((delay / 1000)).$(printf %03d $((delay % 1000)))" "start $1"
}

# set_timer SECONDS WHAT
set_timer() {
  sleep "$1" {LOCK_FD}>&- &
  TIMER[$!]=$2
}

# on_timer PID
on_timer() {
  local what name
  read -r what name <<<"${TIMER[$1]}"
  unset "TIMER[$1]"
  if [[ $what == look ]]; then
    set_timer "$SUPERVISE_LOOK_S" look
  elif [[ $what == kill ]]; then
    signal_all KILL "$name"
  elif [[ $what == start ]]; then
    restart_process "$name"
    set_timer "$RESTART_LOOK_S" "ready $name"
  elif read_ready "$name"; then
    write_topology
    if [[ -n ${ADDED[$name]:-} ]]; then
      echo "$name was added (pid ${PID[$name]})"
      answer_rank_request "${ADDED[$name]}" "ok ${INDEX[$name]}"
      unset "ADDED[$name]"
    else
      echo "$name is ready again (pid ${PID[$name]})"
    fi
  elif is_child_running "$name"; then
    set_timer "$RESTART_LOOK_S" "ready $name"
  fi
}

# restart_process NAME: the same flags as before; the log of the dead one stays beside as NAME.log.1.
restart_process() {
  [[ ! -e ${LOG[$1]} ]] || mv "${LOG[$1]}" "${LOG[$1]}.1"
  RESTARTED_AT[$1]=$SECONDS
  role_flags "${ROLE[$1]}"
  start_process "${ROLE[$1]}" "${INDEX[$1]}" "${ROLE_FLAGS[@]}"
  ENDPOINTS[$1]=
  write_topology
}

# stop_timers: nothing is started any more.
stop_timers() {
  local pid
  for pid in "${!TIMER[@]}"; do
    # No wait for it: bash 5.2 was seen to wait for ever for a timer that ended while wait -n was interrupted.
    kill "$pid" 2>/dev/null || true
  done
  TIMER=()
}
