#!/usr/bin/env bash
# How long a start takes, what the processes hold in memory and what they cost while nothing happens. See --help.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/roles.sh"
source "$LIB/class-data.sh"
source "$LIB/http.sh"
source "$LIB/own-topology.sh"

TICKS_PER_S=$(getconf CLK_TCK)
readonly TICKS_PER_S

# Longest wait for the archives that a launch makes in the background.
readonly ARCHIVES_TIMEOUT_S=120

usage() {
  cat <<'END'
Usage: scripts/dev/bench-start.sh [--starts N] [--settle SECONDS] [--seconds SECONDS] [--dp-size N] [--install] [--no-build]

Starts a topology (1 tokenizer worker, 1 detokenizer) without class-data archives and then N times with them. Prints how long
each took from the command until it served, and a row for each process of the last one: CPU until ready; resident memory
when ready and after having been idle, and its share of it (pages of several processes divided among them); CPU while
idle, heartbeats included, in percent of one core.

  --starts N          starts with archives (default: 3)
  --settle SECONDS    wait between ready and the measurement of idle CPU (default: 10)
  --seconds SECONDS   length of that measurement (default: 20)
  --dp-size N         ranks (default: 4)
END
}

# cpu_ticks PID
cpu_ticks() {
  local stat fields
  stat=$(<"/proc/$1/stat")
  read -r -a fields <<<"${stat##*) }"
  echo $((fields[11] + fields[12]))
}

# memory_kb FIELD PID: Rss or Pss of a process.
memory_kb() {
  awk -v field="$1:" '$1 == field { print $2 }' "/proc/$2/smaps_rollup" 2>/dev/null
}

# helpers: the launcher and what it runs besides the JVMs.
helpers() {
  local pid
  ps -e -o pid=,ppid= | awk -v root="$OWN_LAUNCHER" '
    { parent[$1] = $2 }
    END { for (p in parent) { for (q = p; q > 1 && q != root; q = parent[q]); if (q == root) print p } }' |
    while read -r pid; do
      grep -q "^$pid " "$OWN_DIR/run/pids" && [[ $pid != "$OWN_LAUNCHER" ]] || echo "$pid"
    done
}

# timed_start FLAG...: starts a topology and prints how long that took.
timed_start() {
  local began=${EPOCHREALTIME/./}
  start_topology "$@"
  awk -v us=$((${EPOCHREALTIME/./} - began)) 'BEGIN { printf "%.2f s\n", us / 1e6 }'
}

# start_without_archives FLAG...: with the JDK's own archive alone.
start_without_archives() {
  local home
  home=$(dirname "$(dirname "$(readlink -f "$JAVA")")")
  DPSERVE_JVM_FLAGS="${DPSERVE_JVM_FLAGS:-} -XX:SharedArchiveFile=$home/lib/server/classes.jsa" timed_start "$@"
}

# ensure_archives FLAG...: launches once more if this build has none yet.
ensure_archives() {
  local role deadline=$((SECONDS + ARCHIVES_TIMEOUT_S))
  RUN_DIR=$OWN_DIR/run
  use_class_data "${ROLES[@]}"
  ((${#CLASS_LIST[@]} > 0)) || return 0
  start_topology "$@"
  for role in "${ROLES[@]}"; do
    until has_class_data "$role"; do
      ((SECONDS < deadline)) || fail "no class-data archive after $ARCHIVES_TIMEOUT_S s"
      sleep 0.1
    done
  done
  stop_topology
}

# measure SETTLE_S SECONDS: the table of the running topology.
measure() {
  local pid name kb
  declare -A ready_ticks ready_kb ticks label
  while read -r pid _ name; do
    [[ $name == launcher ]] || label[$pid]=$name
  done <"$OWN_DIR/run/pids"
  for pid in $(helpers); do
    label[$pid]=scripts
  done
  for pid in "${!label[@]}"; do
    ready_ticks[$pid]=$(cpu_ticks "$pid" 2>/dev/null) || unset "label[$pid]"
    ready_kb[$pid]=$(memory_kb Rss "$pid" 2>/dev/null) || unset "label[$pid]"
  done
  sleep "$1"
  for pid in "${!label[@]}"; do
    ticks[$pid]=$(cpu_ticks "$pid" 2>/dev/null) || unset "label[$pid]"
  done
  sleep "$2"
  for pid in "${!label[@]}"; do
    kb="$(memory_kb Rss "$pid") $(memory_kb Pss "$pid")" 2>/dev/null || continue # a sleep of the supervisor that has ended
    echo "${label[$pid]}"$'\t'"${ready_ticks[$pid]} ${ready_kb[$pid]} $kb $(($(cpu_ticks "$pid") - ticks[$pid]))"
  done | sort | awk -F'\t' -v hz="$TICKS_PER_S" -v seconds="$2" '
    function row(name) {
      printf "%-14s %10.2f %12.0f %11.0f %11.0f %11.2f\n", name, cpu[name] / hz, ready[name] / 1000, rss[name] / 1000,
        pss[name] / 1000, 100 * idle[name] / hz / seconds
    }
    function add(name, f) { cpu[name] += f[1]; ready[name] += f[2]; rss[name] += f[3]; pss[name] += f[4]; idle[name] += f[5] }
    { split($2, f, " "); if (!($1 in cpu)) order[++n] = $1; add($1, f); add("all", f) }
    END {
      printf "%-14s %10s %12s %11s %11s %11s\n", "process", "CPU s", "MB at ready", "MB idle", "MB share", "idle CPU %"
      for (i = 1; i <= n; i++) row(order[i])
      row("all")
    }'
}

main() {
  local install=false build=true starts=3 settle=10 seconds=20 dp_size=4 port i flag
  while (($# > 0)); do
    case $1 in
      --starts | --settle | --seconds | --dp-size)
        [[ ${2:-} =~ ^[1-9][0-9]{0,3}$ ]] || fail "$1 needs a whole number from 1 to 9999" "$EXIT_USAGE"
        flag=${1#--}
        printf -v "${flag/-/_}" %s "$2"
        shift
        ;;
      --install) install=true ;;
      --no-build) build=false ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  require_java "$install"
  [[ $build == false ]] || build_if_needed "$install"
  own_topology
  port=$(free_port)
  local flags=(--dp-size "$dp_size" --port "$port")
  ensure_archives "${flags[@]}"
  printf '%-26s' "ready without archives" && start_without_archives "${flags[@]}"
  stop_topology
  for ((i = 1; i <= starts; i++)); do
    printf '%-26s' "ready with archives"
    timed_start "${flags[@]}"
    ((i == starts)) || stop_topology
  done
  echo
  measure "$settle" "$seconds"
  stop_topology
}

main "$@"
