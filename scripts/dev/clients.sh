#!/usr/bin/env bash
# Drives the running topology with the clients people use, and checks its metrics with Prometheus. See --help.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/python.sh"

readonly VENV=$ROOT/.venv
readonly WORK=$ROOT/target/clients
readonly OPENAI_NPM=7.57.0
readonly MODEL=simulated
readonly HOST=127.0.0.1

# Below the ports that the system gives to outgoing connections.
readonly DEFAULT_PORT=28100

# Backends of bench_serving, each with the endpoint it drives.
readonly BACKENDS=(sglang sglang-oai sglang-oai-chat vllm vllm-chat)
readonly PROMPTS=40

usage() {
  echo "Usage: scripts/dev/clients.sh [--install] [--port N]"
  echo "Starts a topology of two ranks and drives it with curl, OpenAI's Python and JavaScript clients and SGLang's own"
  echo "bench_serving; scrapes it with Prometheus meanwhile and checks its metrics with promtool."
  echo "  --install   install what is missing with apt: Node.js, npm, prometheus, curl, what launch.sh needs"
  echo "  --port N    HTTP port; Prometheus listens 10 above (default: $DEFAULT_PORT)"
}

# check_curl URL
check_curl() {
  local events
  echo "curl $(curl --version | sed -n '1s/curl \([^ ]*\).*/\1/p')"
  curl -sSf "$1/health" "$1/v1/models" "$1/server_info" >/dev/null
  events=$(curl -sSfN "$1/v1/chat/completions" -H 'Content-Type: application/json' \
    -d '{"model": "'"$MODEL"'", "stream": true, "max_tokens": 5, "messages": [{"role": "user", "content": "Hello"}]}')
  [[ $events == *'chat.completion.chunk'* && $events == *'data: [DONE]' ]] || fail "curl: no whole chat stream: $events"
  curl -sSf "$1/generate" -H 'Content-Type: application/json' \
    -d '{"text": "Hello", "sampling_params": {"max_new_tokens": 5}}' | grep -q '"completion_tokens":5' \
    || fail "curl: /generate did not make 5 tokens"
  echo "  health, models, chat stream, /generate"
}

# check_bench_serving PORT: SGLang's own benchmark; every request of every backend must succeed.
check_bench_serving() {
  local backend out
  "$VENV/bin/python" "$ROOT/interop/tokenizer_files.py" "$ROOT"/tokenizer/target/lib/jtokkit-*.jar "$WORK/tokenizer" 2>/dev/null
  for backend in "${BACKENDS[@]}"; do
    out=$WORK/$backend
    rm -f "$out.jsonl"
    HF_HUB_OFFLINE=1 "$VENV/bin/python" "$ROOT/interop/bench_serving.py" --backend "$backend" --host "$HOST" --port "$1" \
      --model "$MODEL" --tokenizer "$WORK/tokenizer" --dataset-name random-ids --num-prompts "$PROMPTS" \
      --random-input-len 200 --random-output-len 50 --max-concurrency 20 --disable-tqdm --output-file "$out.jsonl" \
      >"$out.log" 2>&1 || { tail -n 20 "$out.log" >&2 && fail "bench_serving --backend $backend ended with an error"; }
    grep -q "\"completed\": $PROMPTS," "$out.jsonl" || fail "bench_serving --backend $backend: not all succeeded [$out.log]"
    echo "bench_serving --backend $backend: all $PROMPTS requests successful"
  done
  sed -n '/= Serving Benchmark Result/,/^=*$/p' "$WORK/sglang.log"
}

# check_metrics PORT: a real Prometheus scrapes, promtool looks at what it got and at the text itself.
check_metrics() {
  local port=$(($1 + 10)) prometheus status=0 total
  promtool --version 2>&1 | sed -n '1s/, version \([^ ]*\).*/ \1/p'
  printf 'scrape_configs:\n- job_name: dpserve\n  scrape_interval: 1s\n  static_configs: [{targets: ["%s:%s"]}]\n' \
    "$HOST" "$1" >"$WORK/prometheus.yml"
  promtool check config --lint-fatal "$WORK/prometheus.yml" >"$WORK/promtool.log" || fail "promtool: see $WORK/promtool.log"
  rm -rf "$WORK/prometheus"
  prometheus --config.file="$WORK/prometheus.yml" --storage.tsdb.path="$WORK/prometheus" \
    --web.listen-address="$HOST:$port" >"$WORK/prometheus.log" 2>&1 &
  prometheus=$!
  total=$(wait_for_scrape "http://$HOST:$port") || status=1
  kill "$prometheus"
  wait "$prometheus" || true
  ((status == 0)) || fail "Prometheus scraped nothing: see $WORK/prometheus.log"
  echo "  scraped: up, $total requests ended"
  curl -sSf "http://$HOST:$1/metrics" >"$WORK/metrics.txt"
  # promtool holds that only recording rules have a colon in their names; SGLang's metrics have one.
  sed 's/sglang:/sglang_/' "$WORK/metrics.txt" | promtool check metrics || fail "promtool check metrics: see $WORK/metrics.txt"
  echo "  promtool check metrics: clean but for the colon of SGLang's names"
  "$VENV/bin/python" "$ROOT/interop/metrics.py" "$WORK/metrics.txt"
}

# wait_for_scrape URL: prints how many requests the server has counted, as Prometheus knows it.
wait_for_scrape() {
  local answer i
  for ((i = 0; i < 100; i++)); do
    answer=$(promtool query instant "$1" 'sum(sglang:num_requests_total) and on() up == 1' 2>/dev/null || true)
    if [[ $answer =~ '=> '([0-9]+) && ${BASH_REMATCH[1]} -gt 0 ]]; then
      echo "${BASH_REMATCH[1]}"
      return
    fi
    sleep 0.2
  done
  return 1
}

leave() {
  bash "$ROOT/scripts/stop.sh" --run-dir "$WORK/run" >/dev/null
}

main() {
  local install=false port=$DEFAULT_PORT missing=() need
  while (($# > 0)); do
    case $1 in
      --install | --install=true) install=true ;;
      --install=false) install=false ;;
      --port) port=${2:?--port needs a number} && shift ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  for need in curl:curl node:nodejs npm:npm promtool:prometheus; do
    command -v "${need%:*}" >/dev/null || missing+=("${need#*:}")
  done
  ((${#missing[@]} == 0)) || require_packages "$install" "${missing[@]}"
  mkdir -p "$WORK"
  require_venv "$install" "$VENV" "$ROOT/interop/requirements.txt"
  [[ -d $WORK/npm-$OPENAI_NPM ]] \
    || npm install --silent --no-audit --no-fund --prefix "$WORK/npm-$OPENAI_NPM" "openai@$OPENAI_NPM"
  bash "$ROOT/scripts/launch.sh" --dp-size 2 --port "$port" --time-scale 0.1 --run-dir "$WORK/run" --detach >/dev/null
  trap leave EXIT
  check_curl "http://$HOST:$port"
  "$VENV/bin/python" "$ROOT/interop/openai_client.py" "http://$HOST:$port" "$MODEL"
  CLIENT_MODULES=$WORK/npm-$OPENAI_NPM node "$ROOT/interop/openai_client.mjs" "http://$HOST:$port" "$MODEL"
  check_bench_serving "$port"
  check_metrics "$port"
  echo "clients: all passed in $SECONDS s"
}

main "$@"
