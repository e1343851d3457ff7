#!/usr/bin/env bash
# Writes scripts/lib/flags.tsv, which launch.sh reads, from the flags that the processes declare.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
mvn -q -B -ntp -f "$root/pom.xml" -pl bench -am test \
  -Dtest=FlagTableTest -Dsurefire.failIfNoSpecifiedTests=false -Dflags.update=true
echo "wrote $root/scripts/lib/flags.tsv"
