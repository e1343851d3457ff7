#!/usr/bin/env bash
# Kills and stops processes of every kind under 400 streams on a topology of 4 ranks, and prints one table: replies equal to
# the expected text, longest gap in a stream, ITL p99 of the streams that stayed on their rank, detection. A few minutes.
# Environment: KILL_STREAMS, KILL_LENGTH (tokens of each), KILL_DETECTIONS, KILL_SHAPES (tokenizers x detokenizers, comma
# separated), KILL_TEST (one method of KillUnderLoadIT; all without).
set -euo pipefail
if (($# > 0)); then
  sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
  [[ $1 == --help ]] && exit 0 || exit 2
fi
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
status=0
output=$(mvn -q -B -ntp -f "$root/pom.xml" -Pit -pl bench -am integration-test \
  -DskipTests "-Dit.test=KillUnderLoadIT${KILL_TEST:+#$KILL_TEST*}" \
  "-Dkill.streams=${KILL_STREAMS:-400}" "-Dkill.length=${KILL_LENGTH:-150}" "-Dkill.detections=${KILL_DETECTIONS:-20}" \
  "-Dkill.shapes=${KILL_SHAPES:-1x1,4x2}" -Dkill.long=true 2>&1) || status=$?
grep '^kill: ' <<<"$output" | sed 's/^kill: //' | sort || true
if ((status != 0)); then
  grep -v '^kill: ' <<<"$output" | tail -n 60 >&2
fi
exit "$status"
