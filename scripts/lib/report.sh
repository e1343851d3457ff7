# shellcheck shell=bash
# What the launcher tells: topology.json for programs, one table for people.

# write_topology: {"processes": [{"role", "dp_rank", "pid", "endpoints", "log"}, ...]}
write_topology() {
  local name word separator='' file=$RUN_DIR/topology.json
  {
    echo '{"processes": ['
    for name in "${NAMES[@]}"; do
      printf '%s  {"role": "%s", "dp_rank": %s, "pid": %s, "endpoints": {' "$separator" "${ROLE[$name]}" \
        "$(rank_of "$name")" "${PID[$name]}"
      separator=''
      for word in ${ENDPOINTS[$name]}; do
        printf '%s"%s": %s' "$separator" "${word%%=*}" "$(json_string "${word#*=}")"
        separator=', '
      done
      printf '}, "log": %s}' "$(json_string "${LOG[$name]}")"
      separator=$',\n'
    done
    printf '\n]}\n'
  } >"$file.new"
  mv "$file.new" "$file"
}

# rank_of NAME: its dp_rank as JSON.
rank_of() {
  if [[ ${ROLE[$1]} == scheduler ]]; then
    echo "${INDEX[$1]}"
  else
    echo null
  fi
}

# print_table HOST PORT SECONDS: everything one needs to know about the running topology.
print_table() {
  local url=http://$1:$2 model=${FLAG_VALUE[--served-model-name]} name endpoints=() width=9 text
  for name in "${NAMES[@]}"; do
    text=${ENDPOINTS[$name]//=/ }
    endpoints+=("${text:--}")
    ((${#text} <= width)) || width=${#text}
  done
  echo
  printf "%-14s %-8s %-${width}s %s\n" PROCESS PID ENDPOINTS LOG
  for name in "${NAMES[@]}"; do
    printf "%-14s %-8s %-${width}s %s\n" "$name" "${PID[$name]}" "${endpoints[0]}" "${LOG[$name]}"
    endpoints=("${endpoints[@]:1}")
  done
  echo
  if [[ ${FLAG_VALUE[--engine]} == simulated ]]; then
    echo "Ready after $3 s: $url serves the model \"$model\". That is no language model: its words are a fixed"
    echo "function of the prompt, at the pace of a modelled GPU, so that every reply can be checked."
  else
    echo "Ready after $3 s: $url serves the model \"$model\" (${FLAG_VALUE[--model-path]##*/})."
  fi
  cat <<END

Stream a chat:
  curl -N $url/v1/chat/completions -H 'Content-Type: application/json' \\
    -d '{"model": "$model", "stream": true, "max_tokens": 60, "messages": [{"role": "user", "content": "Hello"}]}'
Put load on it (under 30 s):
  $(quoted "$ROOT/scripts/bench-serving.sh") --backend sglang --host $1 --port $2 --dataset-name random --num-prompts 100 --random-input-len 200 --random-output-len 200 --max-concurrency 100 --output-file $(quoted "$RUN_DIR/bench.jsonl")
Watch it (or in a terminal: $(quoted "$ROOT/scripts/top.sh") --url $url):
  $url/dashboard
Stop it:
  $(stop_command)
END
}

# stop_command: how to end this run.
stop_command() {
  local command
  command="$(quoted "$ROOT/scripts/stop.sh") --run-dir $(quoted "$RUN_DIR")"
  if [[ $DETACHED == 1 ]]; then
    echo "$command"
  else
    echo "Ctrl-C here, or $command"
  fi
}
