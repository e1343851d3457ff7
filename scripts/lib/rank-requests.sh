# shellcheck shell=bash
# What scripts/rank.sh asks of a running launcher, whose children the ranks are: a file in the run folder that holds "add
# DP_RANK" ("-" for the lowest free one) or "end DP_RANK", then SIGUSR1. The answer, "ok DP_RANK" or "error WHY", is a file too.
# The launcher's half needs processes.sh, flags.sh, report.sh and restart.sh.

readonly RANK_REQUESTS=rank-requests

# Beyond any machine's ports and SGLang's own limit.
readonly MAX_DP_RANK=4095

declare -A ROLE INDEX LOG ENDPOINTS DEAD TIMER FLAG_VALUE # owned by the files above
declare -A ADDED ENDED # by name: the request that waits for a rank to be ready, or to have ended

# ask_launcher PID TIMEOUT_S REQUEST: prints the answer; fails if there is none.
ask_launcher() {
  local folder=$RUN_DIR/$RANK_REQUESTS id deadline=$((SECONDS + $2)) start
  start=$(process_start_time "$1") || return 1
  mkdir -p "$folder"
  id=$folder/$$-$RANDOM
  echo "$3" >"$id.new"
  mv "$id.new" "$id.request"
  kill -USR1 "$1" 2>/dev/null || return 1
  until [[ -e $id.answer ]]; do
    is_running "$1" "$start" && ((SECONDS <= deadline)) || return 1
    sleep 0.05
  done
  cat "$id.answer"
  rm -f "$id.answer"
}

# take_rank_requests: in the launcher, whenever it wakes.
take_rank_requests() {
  local file id verb rank
  for file in "$RUN_DIR/$RANK_REQUESTS"/*.request; do
    [[ -e $file ]] || continue
    read -r verb rank <"$file" || true
    rm -f "$file"
    id=${file%.request}
    [[ $rank != - ]] || rank=$(lowest_free_rank)
    if ! [[ $rank =~ ^(0|[1-9][0-9]{0,3})$ ]] || ((rank > MAX_DP_RANK)); then
      answer_rank_request "$id" "error dp_rank must be 0 to $MAX_DP_RANK"
    elif [[ $verb == add ]]; then
      add_rank "$id" "$rank"
    elif [[ $verb == end ]]; then
      end_rank "$id" "$rank"
    else
      answer_rank_request "$id" "error unknown request"
    fi
  done
}

# answer_rank_request ID ANSWER
answer_rank_request() {
  echo "$2" >"$1.new"
  mv "$1.new" "$1.answer"
}

lowest_free_rank() {
  local rank=0
  while [[ -n ${ROLE[scheduler $rank]:-} ]]; do
    rank=$((rank + 1))
  done
  echo "$rank"
}

# add_rank ID DP_RANK
add_rank() {
  local name="scheduler $2"
  if [[ -n ${ROLE[$name]:-} && -z ${DEAD[$name]:-} ]]; then
    answer_rank_request "$1" "error dp_rank $2 runs (pid ${PID[$name]})"
    return
  fi
  cancel_timers "$name"
  ADDED[$name]=$1
  size_ranks "$2"
  role_flags scheduler
  LOG[$name]=$RUN_DIR/logs/${name// /-}.log
  [[ ! -e ${LOG[$name]} ]] || mv "${LOG[$name]}" "${LOG[$name]}.1"
  start_process scheduler "$2" "${ROLE_FLAGS[@]}"
  ENDPOINTS[$name]=
  write_topology
  set_timer "$RESTART_LOOK_S" "ready $name"
}

# end_rank ID DP_RANK: ends its process and forgets it.
end_rank() {
  local name="scheduler $2"
  if [[ -z ${ROLE[$name]:-} ]]; then
    answer_rank_request "$1" "error there is no dp_rank $2"
    return
  fi
  cancel_timers "$name"
  ENDED[$name]=$1
  if [[ -n ${DEAD[$name]:-} ]]; then
    forget_rank "$name"
  else
    signal_all TERM "$name"
    set_timer "$STOP_REST_S" "kill $name"
  fi
}

# forget_rank NAME: its process has ended as it was asked to.
forget_rank() {
  local id=${ENDED[$1]} rank=${INDEX[$1]} name left=()
  for name in "${NAMES[@]}"; do
    [[ $name == "$1" ]] || left+=("$name")
  done
  NAMES=("${left[@]}")
  cancel_timers "$1"
  unset "ENDED[$1]" "ROLE[$1]" "INDEX[$1]" "PID[$1]" "START[$1]" "DEAD[$1]" "ENDPOINTS[$1]" "RESTART_MS[$1]"
  size_ranks 0
  write_topology
  echo "scheduler $rank was removed"
  answer_rank_request "$id" "ok $rank"
}

# size_ranks DP_RANK: --dp-size of the processes started from now on covers this rank and all there are.
size_ranks() {
  local name highest=$1
  for name in "${NAMES[@]}"; do
    if [[ ${ROLE[$name]} == scheduler ]] && ((${INDEX[$name]} > highest)); then
      highest=${INDEX[$name]}
    fi
  done
  FLAG_VALUE[--dp-size]=$((highest + 1))
  if [[ -z ${GIVEN[--dp-size]:-} ]]; then
    GIVEN[--dp-size]=1
    GIVEN_ORDER+=(--dp-size)
  fi
}

# cancel_timers NAME
cancel_timers() {
  local pid
  for pid in "${!TIMER[@]}"; do
    [[ ${TIMER[$pid]#* } == "$1" ]] || continue
    unset "TIMER[$pid]"
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}
