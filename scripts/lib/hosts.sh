# shellcheck shell=bash
# Several hosts on this machine: network namespaces with their own addresses, each on a cable to one switch. Everything is
# made inside namespaces named after this process, so nothing of the machine's own network is touched, and deleting them leaves nothing.

readonly NET=dpserve-$$
readonly SWITCH=$NET-switch

# Of no network outside these namespaces: they have no way out.
readonly SUBNET=10.77.0

# What a process is given to end by itself.
readonly HOST_STOP_S=15

HOSTS=()
declare -A HOST_ADDRESS
HOST_PIDS=() # pid and start time of what runs on the hosts

# require_network_rights: or ends the script in plain words.
require_network_rights() {
  if ! command -v ip >/dev/null || ! command -v tc >/dev/null; then
    fail "ip and tc are needed (Debian's package iproute2)"
  fi
  [[ -c /dev/net/tun ]] || fail "there is no /dev/net/tun, of which slow links are made"
  command -v python3 >/dev/null || fail "python3 is needed, for slow links"
  if ! ip netns add "$SWITCH" 2>/dev/null; then
    fail "network namespaces cannot be made here: this needs root (CAP_NET_ADMIN and CAP_SYS_ADMIN)"
  fi
  ip netns delete "$SWITCH"
}

# add_switch: what all cables lead to.
add_switch() {
  require_network_rights
  ip netns add "$SWITCH"
  ip -n "$SWITCH" link add bridge type bridge
  ip -n "$SWITCH" link set bridge up
}

# add_host NAME [DELAY_MS]: with a cable to the switch; DELAY_MS is added to every frame in either direction.
add_host() {
  local name=$1 delay=${2:-0} ns=$NET-$1
  ip netns add "$ns"
  HOSTS+=("$name")
  HOST_ADDRESS[$name]=$SUBNET.${#HOSTS[@]}
  if ((delay > 0)); then
    slow_cable "$name" "$delay"
  else
    ip -n "$SWITCH" link add "to-$name" type veth peer name eth0 netns "$ns"
  fi
  ip -n "$SWITCH" link set "to-$name" master bridge up
  ip -n "$ns" address add "${HOST_ADDRESS[$name]}/24" dev eth0
  ip -n "$ns" link set lo up
  ip -n "$ns" link set eth0 up
}

# slow_cable NAME DELAY_MS
slow_cable() {
  local ready
  coproc CABLE { exec ip netns exec "$SWITCH" python3 "$ROOT/scripts/dev/slow_link.py" "to-$1" "from-$1" "$2"; }
  # shellcheck disable=SC2153 # set by coproc
  track "$CABLE_PID"
  read -r -t 10 -u "${CABLE[0]}" ready || ready=
  [[ $ready == READY ]] || fail "scripts/dev/slow_link.py did not start (/dev/net/tun?)"
  ip -n "$SWITCH" link set "from-$1" netns "$NET-$1" name eth0
}

# limit_rate NAME MEGABITS: both directions of its cable carry no more, by a token bucket.
limit_rate() {
  tc -n "$SWITCH" qdisc add dev "to-$1" root tbf rate "${2}mbit" burst 32kb latency 500ms
  tc -n "$NET-$1" qdisc add dev eth0 root tbf rate "${2}mbit" burst 32kb latency 500ms
}

# cut NAME...: pulls their cables out of the switch. mend NAME...: puts them in again.
cut() { set_links down "$@"; }
mend() { set_links up "$@"; }

set_links() {
  local name
  for name in "${@:2}"; do
    ip -n "$SWITCH" link set "to-$name" "$1"
  done
}

# on HOST COMMAND...
on() {
  ip netns exec "$NET-$1" "${@:2}"
}

# track PID: ended by leave_hosts, if it still is that process.
track() {
  HOST_PIDS+=("$1 $(process_start_time "$1")") || true
}

# start_on HOST LOG COMMAND...: in the background, in a session of its own, where no Ctrl-C reaches it.
start_on() {
  ip netns exec "$NET-$1" setsid "${@:3}" >"$2" 2>&1 </dev/null &
  track $!
}

# end_processes: all of them, the newest first.
end_processes() {
  local entry pid start i deadline=$((SECONDS + HOST_STOP_S)) signal
  for signal in TERM KILL; do
    for ((i = ${#HOST_PIDS[@]} - 1; i >= 0; i--)); do
      read -r pid start <<<"${HOST_PIDS[i]}"
      ! is_running "$pid" "$start" || kill "-$signal" "$pid" 2>/dev/null || true
    done
    for entry in "${HOST_PIDS[@]}"; do
      read -r pid start <<<"$entry"
      while is_running "$pid" "$start" && ((SECONDS <= deadline)); do
        sleep 0.1
      done
    done
  done
  HOST_PIDS=()
}

# remove_hosts: devices go with their namespaces, but not at once.
remove_hosts() {
  local name
  end_processes
  for name in "${HOSTS[@]}"; do
    ip -n "$SWITCH" link delete "to-$name" 2>/dev/null || true
    ip netns delete "$NET-$name" 2>/dev/null || true
  done
  HOSTS=()
}

# remove_network: the hosts and the switch.
remove_network() {
  remove_hosts
  ip netns delete "$SWITCH" 2>/dev/null || true
}
