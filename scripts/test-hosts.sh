#!/usr/bin/env bash
# One topology over several hosts, whose links are slow and get cut under load. See --help and docs/operations.md.
# shellcheck source-path=SCRIPTDIR/lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/hosts.sh"

readonly PORT=30000

# A rank that is not heard for so long is dead. Over twice the short cut: TCP tries again at twice the interval each time, so a
# link is silent for up to twice as long as it was cut.
readonly RANK_TIMEOUT_MS=2000

# Longer than the longest cut and what TCP takes after it (it tries again at ever longer intervals), so that requests wait
# for ranks of which none can be reached.
readonly NO_RANK_TIMEOUT_MS=20000

# A request that only this rank may serve.
readonly PROBE='
import json, sys, urllib.request
body = {"text": "hello", "routed_dp_rank": int(sys.argv[2]), "sampling_params": {"max_new_tokens": 4}}
url = "http://127.0.0.1:" + sys.argv[1] + "/generate"
urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}), timeout=20)
'

readonly READY_TIMEOUT_S=60
readonly SETTLE_TIMEOUT_S=45

# The load of a case: about 100 requests in flight for 20 s.
readonly REQUESTS=240
readonly RATE=16
readonly OUTPUT_TOKENS=120

# A link is cut when so many are in flight.
readonly IN_FLIGHT=60

usage() {
  cat <<'END'
Usage: scripts/test-hosts.sh [--quick] [--install] [--no-build]

Builds several hosts on this machine, as network namespaces with their own addresses on one switch, and runs one topology over
them with CURVE keys: ranks on hosts b, c and d, where c's link carries 20 Mbit/s and d's adds 25 ms in each direction; first with all other
processes on host a, then with the controller on host e and the detokenizer on host f. Cuts links under load, for less than
the rank timeout and for 5 s, and prints one table.

Needs root (it makes network namespaces), iproute2 and python3. It ends everything that it started and deletes only its own
namespaces, however it ends.

  --quick       only one cut of 5 s to one rank's host
  --if-possible instead of failing without the rights, say so and leave it
  --case TEXT   only cases whose names contain this

Exit status: 0; 1 if a reply was not as expected, was lost or doubled, if a rank did not serve again, or if a table of
/server_info is not empty afterwards.
END
}

main() {
  local install=false build=true quick=false if_possible=false reason
  while (($# > 0)); do
    case $1 in
      --quick) quick=true ;;
      --if-possible) if_possible=true ;;
      --case) ONLY=${2:?--case needs a text} && shift ;;
      --install) install=true ;;
      --no-build) build=false ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  if $if_possible && ! reason=$(require_network_rights 2>&1); then
    echo "several hosts: not tested, ${reason#error: }"
    return
  fi
  ! $build || build_if_needed "$install"
  require_java "$install"
  DIR=$(mktemp -d "${TMPDIR:-/tmp}/dpserve.XXXXXX")
  FAILED=0
  trap leave EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  add_switch
  bash "$ROOT/scripts/make-curve-keys.sh" --no-build "$DIR/keys" >/dev/null
  printf '%-34s %8s %6s %6s %8s %7s %10s %5s %7s %8s %7s  %s\n' \
    case equal wrong lost doubled failed gap,ms dead fenced resumed tables again
  if $quick; then
    start_topology a a a
    run_case 'rank host b cut 5 s' 5 b
  else
    start_topology a a a
    run_case 'no cut' 0
    run_case 'rank host b cut 0.4 s' 0.4 b
    run_case 'rank host b cut 5 s' 5 b
    run_case 'rank host d (slow) cut 5 s' 5 d
    run_case 'rank hosts b and c cut 5 s' 5 b c
    run_case 'host a cut 5 s (from all ranks)' 5 a
    remove_hosts
    start_topology a e f
    run_case 'apart: no cut' 0
    run_case 'apart: rank host c cut 5 s' 5 c
    run_case 'apart: controller host cut 0.4 s' 0.4 e
    run_case 'apart: controller host cut 5 s' 5 e
    run_case 'apart: detokenizer host cut 5 s' 5 f
    run_case 'apart: tokenizer host cut 5 s' 5 a
  fi
  remove_hosts
  ((FAILED == 0)) || fail "$FAILED cases were not as they should be [$DIR]"
}

leave() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP # a second Ctrl-C must not leave half of it
  remove_network
  if ((status != 0)) && compgen -G "$DIR/*.log" >/dev/null; then
    echo "logs: $DIR" >&2
  else
    rm -rf "$DIR"
  fi
  exit "$status"
}

# start_topology TOKENIZER_HOST CONTROLLER_HOST DETOKENIZER_HOST: ready when this returns.
start_topology() {
  local host rank=0 t c d flags
  LAYOUT=${LAYOUT:-}x
  for host in a b c; do
    add_host "$host"
  done
  add_host d 25
  limit_rate c 20
  for host in e f; do
    add_host "$host"
  done
  t=tcp://${HOST_ADDRESS[$1]} c=tcp://${HOST_ADDRESS[$2]} d=tcp://${HOST_ADDRESS[$3]}
  flags=(--port "$PORT" --dp-size 3 --curve-keys "$DIR/keys" --tokenizer-pull-endpoints "$t:30234"
    --tokenizer-push-endpoints "$t:30238" --detokenizer-endpoints "$d:30235" --controller-endpoint "$c:30239")
  start "$1" tokenizer "${flags[@]}"
  start "$2" controller "${flags[@]}" --rank-timeout-ms "$RANK_TIMEOUT_MS" --no-rank-timeout-ms "$NO_RANK_TIMEOUT_MS" \
    --load-balance-method least_requests
  start "$3" detokenizer "${flags[@]}"
  for host in b c d; do
    start "$host" scheduler "${flags[@]}" --dp-rank "$rank" --input-endpoint "tcp://${HOST_ADDRESS[$host]}:*"
    rank=$((rank + 1))
  done
  await "$READY_TIMEOUT_S" is_healthy || fail "the topology is not ready after $READY_TIMEOUT_S s"
}

# start HOST ROLE FLAG...
start() {
  start_on "$1" "$DIR/$LAYOUT-$2-$1.log" bash "$ROOT/scripts/start.sh" "$2" --no-build "${@:3}"
}

# get PATH: what the server answers, after a line with the status.
get() {
  # shellcheck disable=SC2016 # expanded in that shell
  on a bash -c 'source "$0"; http_reply GET 127.0.0.1 "$1" "$2" "" 5' "$LIB/http.sh" "$PORT" "$1" 2>/dev/null
}

is_healthy() { [[ $(get /health) == 200*'"status":"healthy"'* ]]; }
is_loaded() { (($(sum_of in_flight_requests /ranks) >= IN_FLIGHT)); }
is_empty() { [[ -z $(tables) ]]; }

# await SECONDS CONDITION
await() {
  local deadline=$((SECONDS + $1))
  until "$2"; do
    ((SECONDS <= deadline)) || return 1
    sleep 0.1
  done
}

# sum_of NAME [PATH]: of all numbers of this name in a reply.
sum_of() {
  local number sum=0
  for number in $(get "${2:-/server_info}" | grep -o "\"$1\":[0-9]*" | grep -o '[0-9]*$'); do
    sum=$((sum + number))
  done
  echo "$sum"
}

# tables: those that are not empty, and those that cannot be asked.
tables() {
  local info
  info=$(get /server_info) || { echo unreachable && return; }
  [[ $(grep -o '"role":' <<<"$info" | wc -l) -ge 6 ]] || echo incomplete
  grep -o '"tables":{[^}]*}' <<<"$info" | grep -o '"[a-z_]*":[1-9][0-9]*' || true
}

# bench NAME FLAG...: every reply is compared with what the model must say.
bench() (
  exec ip netns exec "$NET-a" bash "$ROOT/scripts/bench-serving.sh" --no-build --backend sglang --port "$PORT" --dataset-name random --random-range-ratio 1 \
    --random-input-len 64 --warmup-requests 0 --disable-tqdm --verify --output-file "$DIR/$1.json" "${@:2}" \
    >"$DIR/$1.log" 2>&1 </dev/null
)

# run_case NAME SECONDS HOST...: load, with the links of these hosts cut meanwhile.
run_case() {
  local name=$1 seconds=$2 id=case-$((++CASES)) client before after i again=yes left
  [[ $name == *"$ONLY"* ]] || return 0
  shift 2
  before="$(sum_of ranks_down) $(sum_of fenced) $(sum_of resumed)"
  bench "$id" --num-prompts "$REQUESTS" --request-rate "$RATE" --random-output-len "$OUTPUT_TOKENS" &
  client=$!
  track "$client"
  if (($# > 0)); then
    await "$READY_TIMEOUT_S" is_loaded || fail "$name: the load did not begin"
    cut "$@"
    sleep "$seconds"
    mend "$@"
  fi
  wait "$client" || again=no
  await "$SETTLE_TIMEOUT_S" is_healthy || again=no
  await "$SETTLE_TIMEOUT_S" is_empty || true
  left=$(tables | wc -l)
  for i in 0 1 2; do
    on a python3 -c "$PROBE" "$PORT" "$i" || again=no
  done
  after="$(sum_of ranks_down) $(sum_of fenced) $(sum_of resumed)"
  # shellcheck disable=SC2086 # split into words on purpose
  print_row "$name" "$id" "$left" "$again" $before $after
}

# print_row NAME ID TABLES AGAIN, then dead, fenced and resumed before and after.
print_row() {
  local json correct wrong lost doubled failed gap=- pattern
  json=$(cat "$DIR/$2.json" 2>/dev/null) || json=
  pattern='"verify":\{"correct":([0-9]+),"wrong":([0-9]+),"lost":([0-9]+),"doubled":([0-9]+),"failed":([0-9]+)'
  if [[ $json =~ $pattern ]]; then
    read -r correct wrong lost doubled failed <<<"${BASH_REMATCH[*]:1:5}"
  fi
  if [[ $json =~ \"max_itl_ms\":([0-9]+) ]]; then
    gap=${BASH_REMATCH[1]}
  fi
  if [[ ${correct:-0} != "$REQUESTS" || $3 != 0 || $4 != yes ]]; then
    FAILED=$((FAILED + 1))
  fi
  printf '%-34s %8s %6s %6s %8s %7s %10s %5s %7s %8s %7s  %s\n' "$1" "${correct:--} of $REQUESTS" "${wrong:--}" "${lost:--}" \
    "${doubled:--}" "${failed:--}" "$gap" "$(($8 - $5))" "$(($9 - $6))" "$((${10} - $7))" "$3" "$4"
}

CASES=0
ONLY=
main "$@"
