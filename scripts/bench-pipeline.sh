#!/usr/bin/env bash
# What the output path carries: the whole topology, and its two hot processes by themselves. See --help and docs/performance.md.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/http.sh"
source "$LIB/own-topology.sh"

# Stream interval (tokens of an event; 6 is what the two targets have to each other) and time scale. An engine that takes no time
# shows the most tokens, because outputs that pile up share an event; one that keeps a pace shows events.
readonly LOADS=("1 0" "6 0" "1 0.25" "6 0.05")

# Requests of a batch and tokens of each, for the processes by themselves.
readonly BATCHES=("250 1" "250 6" "1 1")

usage() {
  cat <<'END'
Usage: scripts/bench-pipeline.sh [--streams N] [--tokens N] [--dp-size N] [--workers N] [--detokenizers N] [--warmup SECONDS]
         [--seconds SECONDS] [--runs N] [--port P] [--json FILE] [--alone | --topology] [--install] [--no-build]

Keeps many SSE streams going over a topology whose engine takes no time (--time-scale 0), or so little that every output has
an event of its own; compares every reply, and prints
events and tokens a second at the client and what each process spends on them, the client included; before that the
tokens a second of a detokenizer and of a tokenizer manager without sockets and HTTP, on one core each. All with the JVM flags
of launch.sh. One table; one line of JSON for each row in the file.

  --streams N         streams at a time (default: 1000)
  --tokens N          tokens of each reply (default: 128)
  --dp-size N         ranks (default: 4)
  --workers N         tokenizer workers (default: 1)
  --detokenizers N    (default: 1)
  --warmup, --seconds seconds before and of each measurement (default: 30 and 10: compilers need a minute under this load, so the last runs are warm)
  --runs N            runs of which the best counts (default: 3)
  --port P            HTTP port (default: a free one)
  --json FILE         (default: target/bench-pipeline.jsonl)
  --alone             only the two processes by themselves
  --topology          only the topology

Exit status: 0, also when a target is missed; 1 if a reply was wrong or lost.
END
}

# run_java ROLE MAIN ARGUMENT...: a class of bench with the flags of a role.
run_java() {
  role_jvm_flags "$1"
  run_beside "$JAVA" "${JVM_FLAGS[@]}" -cp "$(module_jar bench):$ROOT/bench/target/lib/*" "dpserve.bench.process.$2" "${@:3}"
}

# figure KEY JSON: the number at a key of one flat object.
figure() {
  [[ $2 =~ \"$1\":([0-9.E+-]+) ]] && echo "${BASH_REMATCH[1]}"
}

# best_of RUNS COMMAND...: sets BEST to the line with the most tokens a second.
best_of() {
  local i line
  BEST=
  for ((i = 0; i < $1; i++)); do
    "${@:2}" >"$OWN_DIR/line"
    line=$(<"$OWN_DIR/line")
    if [[ -z $BEST ]] || awk -v a="$(figure tokens_per_s "$line")" -v b="$(figure tokens_per_s "$BEST")" 'BEGIN { exit !(a > b) }'; then
      BEST=$line
    fi
  done
}

measure_alone() {
  local role batch
  printf '%-12s %10s %12s %14s\n' alone requests "tokens each" tokens/s
  for role in detokenizer tokenizer; do
    for batch in "${BATCHES[@]}"; do
      # shellcheck disable=SC2086 # two words
      best_of "$runs" run_java "$role" OutputPathMain "$role" $batch
      echo "$BEST" >>"$json"
      # shellcheck disable=SC2086
      printf "%-12s %10d %12d %'14.0f\n" "$role" $batch "$(figure tokens_per_s "$BEST")"
    done
  done
  echo
}

# process_flags: one --process NAME=PID for each process of the topology.
process_flags() {
  local pid name
  PROCESS_FLAGS=()
  while read -r pid _ name; do
    [[ $name == launcher ]] || PROCESS_FLAGS+=(--process "${name// /-}=$pid")
  done <"$OWN_DIR/run/pids"
}

measure_topology() {
  local load interval scale http=${port:-}
  for load in "${LOADS[@]}"; do
    read -r interval scale <<<"$load"
    [[ -n $port ]] || http=$(free_port)
    start_topology --dp-size "$dp_size" --port "$http" --time-scale "$scale" --stream-interval "$interval" \
      --tokenizer-worker-num "$workers" --detokenizer-worker-num "$detokenizers" --load-balance-method least_requests
    process_flags
    best_of "$runs" run_java bench PipelineMain --port "$http" --streams "$streams" --tokens "$tokens" --warmup "$warmup" \
      --seconds "$seconds" "${PROCESS_FLAGS[@]}"
    stop_topology
    echo "{\"stream_interval\":$interval,\"time_scale\":$scale,\"dp_size\":$dp_size,\"workers\":$workers,\"detokenizers\":$detokenizers,${BEST#\{}" >>"$json"
    print_row "$interval" "$scale"
  done
}

# print_row INTERVAL TIME_SCALE: of BEST.
print_row() {
  printf "stream interval %d, time scale %s: %'.0f events/s, %'.0f tokens/s, %.1f MB/s, TTFT p50 %.0f ms, p99 %.0f ms\n" "$1" "$2" \
    "$(figure events_per_s "$BEST")" "$(figure tokens_per_s "$BEST")" "$(figure mb_per_s "$BEST")" \
    "$(figure ttft_ms_p50 "$BEST")" "$(figure ttft_ms_p99 "$BEST")"
  sed 's/.*"cpu_s":{\([^}]*\)}.*/\1/; s/"//g' <<<"$BEST" | tr ',' '\n' | awk -F: -v s="$(figure seconds "$BEST")" \
    -v events="$(figure events "$BEST")" -v tokens="$(figure tokens "$BEST")" '
    function row(name, cpu) { printf "  %-14s %8.1f %14.2f %14.2f\n", name, 100 * cpu / s, 1e6 * cpu / events, 1e6 * cpu / tokens }
    BEGIN { printf "  %-14s %8s %14s %14s\n", "process", "CPU %", "us per event", "us per token" }
    { row($1, $2); all += $2 }
    END { row("all", all) }'
}

main() {
  local install=false build=true alone=true topology=true streams=1000 tokens=128 dp_size=4 workers=1 detokenizers=1
  local warmup=30 seconds=10 runs=3 port='' json=$ROOT/target/bench-pipeline.jsonl flag
  while (($# > 0)); do
    case $1 in
      --streams | --tokens | --dp-size | --workers | --detokenizers | --warmup | --seconds | --runs | --port)
        [[ ${2:-} =~ ^[1-9][0-9]{0,4}$ ]] || fail "$1 needs a whole number from 1 to 99999" "$EXIT_USAGE"
        flag=${1#--}
        printf -v "${flag/-/_}" %s "$2"
        shift
        ;;
      --json) json=${2:?--json needs a file} && shift ;;
      --alone) topology=false ;;
      --topology) alone=false ;;
      --install) install=true ;;
      --no-build) build=false ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  [[ $build == false ]] || build_if_needed "$install"
  require_java "$install"
  own_topology
  : >"$json"
  ! $alone || measure_alone
  ! $topology || measure_topology
  echo "JSON: $json"
}

main "$@"
