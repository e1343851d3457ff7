#!/usr/bin/env bash
# Faults of all kinds against running topologies of several shapes under load, and whether a reply minds. See --help.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/http.sh"
source "$LIB/own-topology.sh"

# Ranks, tokenizers, detokenizers, clients and what else of each shape.
readonly SHAPES=(1x1 4x2 1x1-lockstep 4x2-lockstep overload)
declare -rA SHAPE_COUNTS=([1x1]='2 1 1 16' [4x2]='4 4 2 24' [1x1-lockstep]='3 1 1 16' [4x2-lockstep]='4 4 2 24' [overload]='2 2 1 48')
declare -rA SHAPE_FLAGS=(
  [1x1]=''
  [4x2]='--incremental-streaming-output'
  [1x1-lockstep]='--enable-dp-attention --incremental-streaming-output'
  [4x2-lockstep]='--enable-dp-attention'
  [overload]='--max-running-requests 8 --max-queued-requests 8'
)
# Faults for as long as the topology runs: most reports lost, the others rare.
declare -rA SHAPE_REPORTS=([4x2-lockstep]='DPSERVE_LOAD_REPORT_DROP=0.5' [overload]='DPSERVE_LOAD_REPORT_EVERY=20')

# Four times as fast as the modelled GPU: a step of some 10 ms, so that a request takes up to 2 s.
readonly TIME_SCALE=0.25

readonly METHOD=least_requests

# Longer than the launcher waits before it starts a process again that has died several times.
readonly NO_RANK_TIMEOUT_MS=30000

usage() {
  cat <<'END'
Usage: scripts/chaos.sh [MINUTES] [--seed N] [--shape NAME] [--install] [--no-build]

Starts topologies of five shapes, one after the other, keeps a mixed load on each (streams or not, aborts, clients that hang
up or do not read) and meets it with faults: processes killed, stopped, slowed down, two at once; corrupt frames; ranks
drained, restarted, added and removed; reports late, rare, lost or by another way. After each fault every request must have
ended once, with exactly the expected text, every table of /server_info be empty, and the service be whole again. Only a
client of a killed tokenizer worker may lose its connection. Prints one table.

  MINUTES       how long, in whole or decimal minutes (default: 2), start and end of the topologies not counted
  --seed N      makes the same requests and faults again (default: drawn, and printed)
  --shape NAME  this shape alone: 1x1, 4x2 (tokenizers x detokenizers), 1x1-lockstep, 4x2-lockstep (ranks that step together),
                overload (more clients than there is room for; 503 is an outcome)

Exit status: 0; 1 if a promise was broken, with the command that does the same again.
END
}

main() {
  local install=false build=true minutes=2 seed=$RANDOM$RANDOM shapes=("${SHAPES[@]}") seconds number again
  while (($# > 0)); do
    case $1 in
      --seed | --shape) (($# > 1)) || fail "$1 needs a value" "$EXIT_USAGE" ;;&
      --seed) seed=$2 && shift ;;
      --seed=*) seed=${1#*=} ;;
      --shape) shapes=("$2") && shift ;;
      --shape=*) shapes=("${1#*=}") ;;
      --install) install=true ;;
      --no-build) build=false ;;
      --help) usage && return ;;
      -*) fail "unknown flag $1 (--help lists them)" "$EXIT_USAGE" ;;
      *) minutes=$1 ;;
    esac
    shift
  done
  [[ $minutes =~ ^[0-9]{1,4}(\.[0-9]{1,3})?$ ]] || fail "MINUTES must be a number, not '$minutes'" "$EXIT_USAGE"
  [[ $seed =~ ^[0-9]{1,12}$ ]] || fail "--seed needs a whole number, not '$seed'" "$EXIT_USAGE"
  seed=$((10#$seed))
  [[ -n ${SHAPE_COUNTS[${shapes[0]}]:-} ]] || fail "--shape is one of ${SHAPES[*]}, not '${shapes[0]}'" "$EXIT_USAGE"
  again="scripts/chaos.sh $minutes --seed $seed$( ((${#shapes[@]} > 1)) || echo " --shape ${shapes[0]}")"
  seconds=$(awk "BEGIN { print $minutes * 60 / ${#shapes[@]} }")
  [[ $build == false ]] || build_if_needed "$install"
  require_java "$install"
  role_jvm_flags bench
  own_topology
  echo "seed $seed"
  for ((number = 0; number < ${#shapes[@]}; number++)); do
    if ! meet_shape "${shapes[number]}" "$number" "${#shapes[@]}" "$seconds" "$seed"; then
      echo "the same again: $again"
      return "$EXIT_FAILURE"
    fi
  done
}

# meet_shape SHAPE NUMBER OF SECONDS SEED
meet_shape() {
  local port ranks tokenizers detokenizers clients flags=() client=() status=0
  read -r ranks tokenizers detokenizers clients <<<"${SHAPE_COUNTS[$1]}"
  read -r -a flags <<<"${SHAPE_FLAGS[$1]}"
  port=$(free_port)
  echo "$1: $ranks ranks, $tokenizers tokenizer workers, $detokenizers detokenizers ${flags[*]} ${SHAPE_REPORTS[$1]:-}"
  [[ -z ${SHAPE_REPORTS[$1]:-} ]] || export "${SHAPE_REPORTS[$1]?}"
  start_topology --restart --port "$port" --dp-size "$ranks" --tokenizer-worker-num "$tokenizers" \
    --detokenizer-worker-num "$detokenizers" --load-balance-method "$METHOD" --time-scale "$TIME_SCALE" \
    --no-rank-timeout-ms "$NO_RANK_TIMEOUT_MS" --decision-log "$OWN_DIR/run/decisions" "${flags[@]}"
  [[ -z ${SHAPE_REPORTS[$1]:-} ]] || unset "${SHAPE_REPORTS[$1]%%=*}"
  [[ ${flags[*]} != *--incremental* ]] || client+=(--incremental)
  [[ $1 != overload ]] || client+=(--may-refuse)
  (($2 + 1 < $3)) || client+=(--print)
  run_beside "$JAVA" "${JVM_FLAGS[@]}" -cp "$(module_jar bench):$ROOT/bench/target/lib/*" \
    dpserve.bench.process.ChaosMain --run-dir "$OWN_DIR/run" --port "$port" --name "$1" --number "$2" --of "$3" \
    --ranks "$ranks" --tokenizers "$tokenizers" --detokenizers "$detokenizers" --clients "$clients" \
    --time-scale "$TIME_SCALE" --method "$METHOD" --seconds "$4" --seed "$5" --rank-script "$ROOT/scripts/rank.sh" \
    --results "$OWN_DIR/results" "${client[@]}" || status=$?
  ((status == 0)) || return "$status"
  stop_topology
}

main "$@"
