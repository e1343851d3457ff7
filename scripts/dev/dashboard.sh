#!/usr/bin/env bash
# Opens the live page in headless Chromium against a topology of its own and uses it as a person would. See --help.
# shellcheck source-path=SCRIPTDIR/../lib
set -euo pipefail

LIB=$(dirname "${BASH_SOURCE[0]}")/../lib
source "$LIB/common.sh"
source "$LIB/prerequisites.sh"
source "$LIB/build.sh"
source "$LIB/http.sh"
source "$LIB/own-topology.sh"

readonly SHOTS=$ROOT/target/dashboard

usage() {
  echo "Usage: scripts/dev/dashboard.sh [--install]"
  echo "Starts four ranks, opens /dashboard in headless Chromium, and checks that figures appear and change under load, that a"
  echo "rank drains and comes back by keyboard, contrast, names for screen readers, no request to another server and no"
  echo "message on the console. Screenshots in light, dark and at phone width: $SHOTS"
  echo "  --install   install what is missing with apt: Chromium, Node.js, a font, what launch.sh needs"
}

main() {
  local install=false port missing=()
  while (($# > 0)); do
    case $1 in
      --install | --install=true) install=true ;;
      --install=false) install=false ;;
      --help) usage && return ;;
      *) fail "unknown argument $1 (--help lists them)" "$EXIT_USAGE" ;;
    esac
    shift
  done
  command -v chromium >/dev/null || missing+=(chromium fonts-dejavu-core)
  command -v node >/dev/null || missing+=(nodejs)
  ((${#missing[@]} == 0)) || require_packages "$install" "${missing[@]}"
  require_java "$install"
  build_if_needed "$install"
  mkdir -p "$SHOTS"
  own_topology
  port=$(free_port)
  export DPSERVE_API_KEY=dashboard-api-key DPSERVE_ADMIN_API_KEY=dashboard-admin-key
  start_topology --dp-size 4 --load-balance-method least_requests --port "$port"
  echo "$(chromium --version 2>/dev/null), Node.js $(node --version)"
  run_beside timeout 120 node "$ROOT/scripts/dev/dashboard.mjs" "http://127.0.0.1:$port" "$SHOTS" \
    || fail "the live page: see above and $SHOTS"
  stop_topology
  echo "dashboard: all passed in $SECONDS s"
}

main "$@"
