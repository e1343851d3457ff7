#!/usr/bin/env bash
# Runs one workload under several load paths and policies, one topology each, and writes a report. See --help.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"

usage() {
  cat <<'END'
Usage: scripts/compare.sh [FLAG...]

Repeats the experiment of SGLang PR #11469 without a GPU: the same load on a topology of its own for each load path and
policy named, with a simulated engine. Writes report.html and report.csv with the benchmark's table beside the published
one, the running requests of each rank over time, the age of the load at dispatch, every measure of imbalance, and the same
runs in virtual time.

  scripts/compare.sh --time-scale 0.25
  scripts/compare.sh --load-report piggyback --load-balance-method round_robin,shortest_queue,least_requests \
    --random-range-ratio 0.1 --report-delay-ms 500

  --load-report LIST           watch, piggyback, accounting, direct (default: watch,piggyback)
  --load-balance-method LIST   policies (default: shortest_queue)
  --report-delay-ms MS         every report is this late, modelled time (default: 0)
  --time-scale FACTOR          wall time for one unit of modelled time (default: 1.0)
  --dp-size N                  ranks (default: 4)
  --pd-separated               a prefill server and a decode server behind a PD router, as in the experiment: round_robin with
                               --prefill-round-robin-balance on the prefill side, the policies named on the decode side
  --independent-ranks          the ranks step by themselves, not together as under DP attention
  --num-prompts N              requests (default: 400)
  --random-input-len TOKENS    (default: 500)
  --random-output-len TOKENS   (default: 1500)
  --random-range-ratio RATIO   1 for equal lengths, below for lengths between this share and all (default: 1)
  --request-rate RATE          requests a modelled second (default: 4)
  --max-concurrency N          most requests in flight (default: 100)
  --seed N                     of prompts, lengths and arrivals (default: 42)
  --port PORT                  base port of each topology (default: 31800)
  --output-dir FOLDER          (default: run/compare)
  --no-build, --install        as in scripts/launch.sh
END
}

# 10 s: what the last request leaves is gone within a heartbeat or two.
readonly EMPTY_TURNS=50
# Far enough apart for the endpoints of two topologies.
readonly PREFILL_PORT_BELOW=1000
readonly DECODE_PORT_BELOW=500

REPORTS=watch,piggyback
METHODS=shortest_queue
DELAY_MS=0
TIME_SCALE=1.0
DP_SIZE=4
TOGETHER=true
PD=false
NUM_PROMPTS=400
INPUT_LEN=500
OUTPUT_LEN=1500
RANGE_RATIO=1
RATE=4
CONCURRENCY=100
SEED=42
PORT=31800
OUTPUT_DIR=$ROOT/run/compare
BUILD=true
INSTALL=false
RUNNING=
PAIR=

# stop_running: ends the topology of the present run, if there is one.
stop_running() {
  if [[ -n $RUNNING ]]; then
    "$ROOT/scripts/stop.sh" --run-dir "$RUNNING" >/dev/null || true
    RUNNING=
  fi
  if [[ -n $PAIR ]]; then
    kill -TERM "$PAIR" 2>/dev/null || true
    wait "$PAIR" || true
    PAIR=
  fi
}

parse() {
  while (($# > 0)); do
    case $1 in
      --help | -h) usage && exit 0 ;;
      --install) INSTALL=true && shift && continue ;;
      --no-build) BUILD=false && shift && continue ;;
      --pd-separated) PD=true && shift && continue ;;
      --independent-ranks) TOGETHER=false && shift && continue ;;
    esac
    (($# > 1)) || fail "$1 needs a value, or is unknown; see --help" "$EXIT_USAGE"
    case $1 in
      --load-report) REPORTS=$2 ;;
      --load-balance-method) METHODS=$2 ;;
      --report-delay-ms) DELAY_MS=$2 ;;
      --time-scale) TIME_SCALE=$2 ;;
      --dp-size) DP_SIZE=$2 ;;
      --num-prompts) NUM_PROMPTS=$2 ;;
      --random-input-len) INPUT_LEN=$2 ;;
      --random-output-len) OUTPUT_LEN=$2 ;;
      --random-range-ratio) RANGE_RATIO=$2 ;;
      --request-rate) RATE=$2 ;;
      --max-concurrency) CONCURRENCY=$2 ;;
      --seed) SEED=$2 ;;
      --port) PORT=$2 ;;
      --output-dir) OUTPUT_DIR=$2 ;;
      *) fail "$1 is no flag of compare.sh; see --help" "$EXIT_USAGE" ;;
    esac
    shift 2
  done
  awk -v s="$TIME_SCALE" 'BEGIN { exit !(s ~ /^[0-9.]+$/ && s > 0) }' || fail "--time-scale must be above 0" "$EXIT_USAGE"
  awk -v s="$RATE" 'BEGIN { exit !(s ~ /^[0-9.]+$/ && s > 0) }' || fail "--request-rate must be above 0" "$EXIT_USAGE"
}

# bench FLAG...: the benchmark client against the present topology.
bench() {
  local pd=()
  [[ $PD == false ]] || pd=(--pd-separated)
  "$ROOT/scripts/bench-serving.sh" --no-build --backend sglang --host 127.0.0.1 --port "$PORT" --disable-tqdm "${pd[@]}" "$@"
}

# server_info FILE [PORT]: what all processes say of themselves; of a pair the decode server's.
server_info() {
  local port=$PORT
  [[ $PD == false ]] || port=$((PORT - DECODE_PORT_BELOW))
  curl -sf -m 10 "http://127.0.0.1:${2:-$port}/server_info" >"$1" || fail "the topology does not answer; logs in $FOLDER"
}

# require_empty FILE [PORT]: the same, once it holds nothing of any request.
require_empty() {
  local left turn
  for ((turn = 0; turn < EMPTY_TURNS; turn++)); do
    server_info "$@"
    left=$(grep -o '"tables": *{[^}]*}' "$1" | grep -o '"[a-z_]*": *[1-9][0-9]*' || true)
    [[ -n $left ]] || return 0
    sleep 0.2
  done
  fail "after the load this is left in the tables of /server_info: ${left//$'\n'/, }; see $1"
}

# start_topology REPORT METHOD FLAG...
start_topology() {
  local report=$1 method=$2
  shift 2
  RUNNING=$FOLDER/run
  DPSERVE_LOAD_REPORT_DELAY_MS=$DELAY_MS "$ROOT/scripts/launch.sh" --no-build --detach --run-dir "$RUNNING" --port "$PORT" \
    --dp-size "$DP_SIZE" --time-scale "$TIME_SCALE" --load-report "$report" --load-balance-method "$method" "$@" \
    --step-log "$FOLDER/steps" --decision-log "$FOLDER/decisions" >"$FOLDER/launch.log" 2>&1 ||
    fail "the topology did not start, see $FOLDER/launch.log"
}

# start_pair REPORT METHOD FLAG...: the flags of the PR's two servers.
start_pair() {
  local report=$1 method=$2
  shift 2
  DPSERVE_LOAD_REPORT_DELAY_MS=$DELAY_MS "$ROOT/scripts/launch-pd.sh" --no-build --run-dir "$FOLDER/run" --port "$PORT" \
    --prefill-port $((PORT - PREFILL_PORT_BELOW)) --decode-port $((PORT - DECODE_PORT_BELOW)) \
    --disaggregation-bootstrap-port $((PORT + 1)) --dp-size "$DP_SIZE" --time-scale "$TIME_SCALE" \
    --prefill-load-balance-method round_robin --prefill-round-robin-balance \
    --decode-load-report "$report" --decode-load-balance-method "$method" "$@" \
    --decode-step-log "$FOLDER/steps" --decode-decision-log "$FOLDER/decisions" >"$FOLDER/launch.log" 2>&1 &
  PAIR=$!
  until grep -q '(PD router;' "$FOLDER/launch.log"; do
    kill -0 "$PAIR" 2>/dev/null || fail "the servers did not start, see $FOLDER/launch.log"
    sleep 0.2
  done
}

# launch_command REPORT METHOD: what starts the servers of a run, in words.
launch_command() {
  if [[ $PD == true ]]; then
    echo "scripts/launch-pd.sh --port $PORT --dp-size $DP_SIZE --time-scale $TIME_SCALE --prefill-load-balance-method round_robin" \
      "--prefill-round-robin-balance --decode-load-report $1 --decode-load-balance-method $2"
  else
    echo "scripts/launch.sh --port $PORT --dp-size $DP_SIZE --time-scale $TIME_SCALE --load-report $1 --load-balance-method $2"
  fi
}

# run REPORT METHOD FOLDER: one topology, warmed up and measured.
run() {
  local folder=$3 wall_rate began together=() start=start_topology
  FOLDER=$folder
  [[ $PD == false ]] || start=start_pair
  [[ $TOGETHER == false ]] || together=(--enable-dp-attention)
  wall_rate=$(awk -v r="$RATE" -v s="$TIME_SCALE" 'BEGIN { printf "%.6g", r / s }')
  rm -rf "$folder"
  mkdir -p "$folder"
  $start "$1" "$2" "${together[@]}"
  # Compiles what the measured load will run.
  bench --dataset-name random-ids --num-prompts 200 --random-input-len "$INPUT_LEN" --random-output-len 64 \
    --random-range-ratio 1 --max-concurrency 100 --seed 7 --output-file "$folder/warmup.jsonl" >"$folder/warmup.log" 2>&1 ||
    fail "the warm-up failed, see $folder/warmup.log"
  server_info "$folder/server-info-before.json"
  began=$(date +%s.%N)
  cat >"$folder/settings.properties" <<END
method=$2
report=$1
delay_ms=$DELAY_MS
time_scale=$TIME_SCALE
seed=$SEED
dp_attention=$TOGETHER
pd_separated=$PD
began_s=$began
command=$(launch_command "$1" "$2") ${together[*]}
END
  bench --dataset-name random-ids --num-prompts "$NUM_PROMPTS" --random-input-len "$INPUT_LEN" \
    --random-output-len "$OUTPUT_LEN" --random-range-ratio "$RANGE_RATIO" --request-rate "$wall_rate" \
    --max-concurrency "$CONCURRENCY" --seed "$SEED" --flush-cache --verify --output-details \
    --output-file "$folder/bench.jsonl" >"$folder/bench.log" 2>&1 || fail "the load failed, see $folder/bench.log"
  require_empty "$folder/server-info.json"
  [[ $PD == false ]] || require_empty "$folder/server-info-prefill.json" $((PORT - PREFILL_PORT_BELOW))
  stop_running
}

main() {
  local report method name folders=() began=$SECONDS reports methods
  parse "$@"
  command -v curl >/dev/null || fail "curl is missing: apt-get install curl"
  require_java "$INSTALL"
  [[ $BUILD == false ]] || build_if_needed "$INSTALL"
  trap stop_running EXIT
  trap 'exit 130' INT TERM HUP
  mkdir -p "$OUTPUT_DIR"
  OUTPUT_DIR=$(cd "$OUTPUT_DIR" && pwd -P)
  IFS=, read -r -a reports <<<"$REPORTS"
  IFS=, read -r -a methods <<<"$METHODS"
  for method in "${methods[@]}"; do
    for report in "${reports[@]}"; do
      name=$report-$method
      echo "run $((${#folders[@]} + 1)) of $((${#reports[@]} * ${#methods[@]})): $report / $method"
      run "$report" "$method" "$OUTPUT_DIR/$name"
      folders+=("$OUTPUT_DIR/$name")
    done
  done
  role_jvm_flags bench
  "$JAVA" "${JVM_FLAGS[@]}" -Dorg.slf4j.simpleLogger.log.dpserve.controller=warn \
    -cp "$(module_jar bench):$ROOT/bench/target/lib/*" dpserve.bench.process.CompareMain \
    --output-dir "$OUTPUT_DIR" --command "scripts/compare.sh $*" "${folders[@]}"
  echo "Report after $((SECONDS - began)) s: $OUTPUT_DIR/report.html and report.csv"
}

main "$@"
