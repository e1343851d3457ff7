#!/usr/bin/env bash
# Writes scripts/lib/flags.tsv, which launch.sh reads, and the tables of docs/configuration.md from the flags that the processes declare.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
mvn -q -B -ntp -f "$root/pom.xml" -pl bench -am test \
  -Dtest=FlagTableTest,ConfigurationPageTest -Dsurefire.failIfNoSpecifiedTests=false -Dflags.update=true
echo "wrote $root/scripts/lib/flags.tsv and $root/docs/configuration.md"
