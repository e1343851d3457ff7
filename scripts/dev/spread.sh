#!/usr/bin/env bash
# Sends 100 requests at once to 4 idle ranks, ten times (or as many as the argument says), and prints how they spread.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
mvn -q -B -ntp -f "$root/pom.xml" -Pit -pl bench -am integration-test \
  -DskipTests -Dit.test=SpreadIT "-Dspread.runs=${1:-10}"
