#!/usr/bin/env bash
# Before a rank is ended: no new requests for it, and a wait until those it has are done. Never fails: what is left when the
# container is killed goes on at another rank.
# Usage: drain-rank.sh HOST PORT SECONDS, with the rank in the environment as DP_RANK. DPSERVE_ADMIN_API_KEY or DPSERVE_API_KEY holds the key of a server that has one.
# shellcheck source-path=SCRIPTDIR/../../scripts/lib
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib/http.sh"

readonly HTTP_TIMEOUT_S=5

main() {
  local host=$1 port=$2 rank=$DP_RANK deadline=$((SECONDS + $3)) admin read reply
  admin=${DPSERVE_ADMIN_API_KEY:-${DPSERVE_API_KEY:-}}
  read=${DPSERVE_API_KEY:-${DPSERVE_ADMIN_API_KEY:-}}
  reply=$(http_reply POST "$host" "$port" "/ranks/$rank/drain" "$admin" "$HTTP_TIMEOUT_S")
  echo "${reply:-no answer from http://$host:$port}"
  [[ $reply == 200* ]] || return 0
  while ((SECONDS < deadline)); do
    reply=$(http_reply GET "$host" "$port" /ranks "$read" "$HTTP_TIMEOUT_S")
    if tr '}' '\n' <<<"$reply" | grep -q "\"dp_rank\":$rank,\"state\":\"drained\""; then
      echo "dp_rank $rank is drained"
      return 0
    fi
    sleep 0.5
  done
  echo "dp_rank $rank still has requests; they go on at other ranks"
}

main "$@"
