# shellcheck shell=bash
# The JVMs of one run: start, wait until ready, notice an end, stop.

# A log file's size; one older file of that size is kept beside it as NAME.log.1.
readonly LOG_MAX_BYTES=${DPSERVE_LOG_MAX_BYTES:-16777216}

# Lines of a log shown when its process died.
readonly LOG_TAIL_LINES=5

# The processes behind the tokenizer managers have nothing left to drain; this long must do.
readonly STOP_REST_S=5

# A death that no wait tells of is seen this much later.
readonly SUPERVISE_LOOK_S=2

# By name of a process; ENDPOINTS holds the key=url words of its READY line.
declare -A PID START ROLE INDEX LOG ENDPOINTS DEAD
STOP_REQUESTS=0

# cap_log FILE: copies standard input there and starts the file anew whenever it is full. Outlives every signal: it ends
# when the process that writes to it does.
cap_log() {
  trap '' INT TERM HUP
  while :; do
    stdbuf -o0 head -c "$LOG_MAX_BYTES" >"$1"
    (($(stat -c %s "$1") >= LOG_MAX_BYTES)) || break
    mv "$1" "$1.1"
  done
}

# start_process ROLE INDEX FLAG...: INDEX is empty for a role of which there is one.
start_process() {
  local role=$1 index=$2 name=$1${2:+ $2} log flags=() sink
  shift 2
  log=$RUN_DIR/logs/${name// /-}.log
  [[ -z $index ]] || flags=("${ROLE_INDEX_FLAG[$role]}" "$index")
  role_jvm_flags "$role"
  class_data_flags "$role"
  exec {sink}> >(exec {LOCK_FD}>&-; cap_log "$log")
  # A session of its own keeps the terminal's Ctrl-C away: the launcher decides in which order to stop.
  (
    cd "$RUN_DIR" || exit
    exec setsid "$JAVA" "${CLASS_DATA_FLAGS[@]}" "${JVM_FLAGS[@]}" "-XX:ErrorFile=$RUN_DIR/logs/hs_err_%p.log" \
      "-Djava.io.tmpdir=$RUN_DIR/tmp" -cp "$(role_class_path "$role")" "${ROLE_MAIN[$role]}" "${flags[@]}" "$@" \
      >&"$sink" 2>&1 {sink}>&- {LOCK_FD}>&-
  ) &
  PID[$name]=$!
  unset "DEAD[$name]"
  exec {sink}>&-
  START[$name]=$(process_start_time "${PID[$name]}") || START[$name]=gone
  [[ -n ${ROLE[$name]:-} ]] || NAMES+=("$name")
  ROLE[$name]=$role
  INDEX[$name]=$index
  LOG[$name]=$log
  echo "${PID[$name]} ${START[$name]} $name" >>"$RUN_DIR/pids"
}

# is_child_running NAME: the shell has not yet seen its child's end.
is_child_running() {
  kill -0 "${PID[$1]}" 2>/dev/null
}

# read_ready NAME: whether the process has logged READY; keeps the endpoints which that line names.
read_ready() {
  local line word
  line=$(grep -m 1 -o '\bREADY\b.*' "${LOG[$1]}" 2>/dev/null) || return 1
  ENDPOINTS[$1]=
  for word in $line; do
    [[ $word =~ ^[a-z_]+=(tcp|http)://[^[:space:]]+$ ]] && ENDPOINTS[$1]+="$word "
  done
  ENDPOINTS[$1]=${ENDPOINTS[$1]% }
}

# fail_start NAME: reports a process that ended before the topology was ready, and ends the script.
fail_start() {
  local status=0 cause
  wait "${PID[$1]}" || status=$?
  sleep 0.1 # its last line may still be on the way through the pipe
  cause=$(grep -m 1 -i '^error: ' "${LOG[$1]}" 2>/dev/null || tail -n 1 "${LOG[$1]}")
  echo "error: $1 ended while starting ($(describe_status "$status")): ${cause#[Ee]rror: } [log: ${LOG[$1]}]" >&2
  exit "$EXIT_FAILURE"
}

# wait_until_ready TIMEOUT_S HOST PORT: every process says READY, then the server is healthy, then the ranks answer.
wait_until_ready() {
  local deadline=$((SECONDS + $1)) name path waiting_for
  for name in "${NAMES[@]}"; do
    until read_ready "$name"; do
      pause_while_starting "$deadline" "$name to say READY"
    done
  done
  for path in /health /health_generate; do
    waiting_for="$path to answer 200"
    until [[ $(http_status "$2" "$3" "$path" 5) == 200 ]]; do
      pause_while_starting "$deadline" "$waiting_for"
    done
  done
}

# pause_while_starting DEADLINE WHAT: one short sleep, unless something has gone wrong.
pause_while_starting() {
  local name
  for name in "${NAMES[@]}"; do
    is_child_running "$name" || fail_start "$name"
  done
  if ((STOP_REQUESTS > 0)); then
    exit 0
  fi
  if ((SECONDS > $1)); then
    echo "error: not ready after ${FLAG_VALUE[--ready-timeout-s]} s: waited for $2 [logs: $RUN_DIR/logs]" >&2
    exit "$EXIT_FAILURE"
  fi
  sleep 0.05 || true # Ctrl-C ends it early
}

# supervise: returns when asked to stop (0) or when the topology cannot serve any more (1). A rank that dies is reported
# and the others go on serving; with --restart every process that dies gets a successor.
supervise() {
  local name pid pids
  set_timer "$SUPERVISE_LOOK_S" look
  while ((STOP_REQUESTS == 0)); do
    take_rank_requests
    pids=()
    for name in "${NAMES[@]}"; do
      [[ -z ${DEAD[$name]:-} ]] || continue
      if is_child_running "$name"; then
        pids+=("${PID[$name]}")
      else
        on_death "$name" || return 1
      fi
    done
    pid=''
    # The status of a process is asked for by its own pid: one that ended while another was reported is no job any more.
    wait -n -p pid "${pids[@]}" "${!TIMER[@]}" 2>/dev/null || true
    [[ -z ${pid:-} || -z ${TIMER[$pid]:-} ]] || on_timer "$pid"
  done
}

# on_death NAME: fails if the topology cannot serve any more.
on_death() {
  local status=0
  wait "${PID[$1]}" || status=$?
  DEAD[$1]=1
  if [[ -n ${ENDED[$1]:-} ]]; then
    forget_rank "$1"
    return
  fi
  if [[ -n ${ADDED[$1]:-} ]]; then
    answer_rank_request "${ADDED[$1]}" "error $1 ended while starting ($(describe_status "$status")) [log: ${LOG[$1]}]"
    unset "ADDED[$1]"
  fi
  if [[ ${FLAG_VALUE[--restart]:-} == true ]]; then
    plan_restart "$1" # first, so that its wait runs during the report
    report_death "$1" "$status"
    return
  fi
  report_death "$1" "$status"
  [[ ${ROLE[$1]} == scheduler ]] || return 1
  if ! is_rank_left; then
    echo "error: no rank is left" >&2
    return 1
  fi
}

is_rank_left() {
  local name
  for name in "${NAMES[@]}"; do
    [[ ${ROLE[$name]} != scheduler || -n ${DEAD[$name]:-} ]] || return 0
  done
  return 1
}

# report_death NAME STATUS
report_death() {
  echo "error: $1 (pid ${PID[$1]}) ended unasked: $(describe_status "$2") [log: ${LOG[$1]}]" >&2
  # Its last lines may still be on the way through the pipe. In braces, or bash tells in words of its own of another death.
  { sleep 0.1; } 2>/dev/null
  tail -n "$LOG_TAIL_LINES" "${LOG[$1]}" | sed 's/^/  | /' >&2
}

# stop_processes TIMEOUT_S: SIGTERM to the tokenizer managers, which refuse new requests and finish what they have;
# then to the rest. What is left after the timeout, or when asked a second time, is killed; then it fails.
stop_processes() {
  local first=() rest=() name killed=()
  for name in "${NAMES[@]}"; do
    [[ $name == tokenizer* ]] && first+=("$name") || rest+=("$name")
  done
  signal_all TERM "${first[@]}"
  await_end $((SECONDS + $1)) "${first[@]}" || true
  signal_all TERM "${rest[@]}"
  await_end $((SECONDS + STOP_REST_S)) "${rest[@]}" || true
  for name in "${NAMES[@]}"; do
    is_running "${PID[$name]}" "${START[$name]}" && killed+=("$name")
  done
  ((${#killed[@]} > 0)) || return 0
  signal_all KILL "${killed[@]}"
  await_end $((SECONDS + STOP_REST_S)) "${killed[@]}" || true
  (
    IFS=,
    echo "killed, because it did not end by itself: ${killed[*]}" >&2
  )
  return 1
}

# signal_all SIGNAL NAME...: only to the very processes that were started.
signal_all() {
  local signal=$1 name
  shift
  for name in "$@"; do
    if is_running "${PID[$name]}" "${START[$name]}"; then
      kill "-$signal" "${PID[$name]}" 2>/dev/null || true
    fi
  done
}

# await_end DEADLINE NAME...: until all have ended, the deadline (of SECONDS) or a second request to stop.
await_end() {
  local deadline=$1 name
  shift
  for name in "$@"; do
    while is_running "${PID[$name]}" "${START[$name]}"; do
      ((SECONDS <= deadline && STOP_REQUESTS < 2)) || return 1
      sleep 0.05 || true
    done
  done
}
