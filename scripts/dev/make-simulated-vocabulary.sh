#!/usr/bin/env bash
# Makes the token table of the simulated model from the real vocabulary and the list of texts in
# tokenizer/src/test/resources/dpserve/tokenizer/simulated-texts.txt. Run it after changing that list.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
out="$root/common-io/src/main/resources/dpserve/io/simulated-vocabulary.txt"
mvn -q -B -f "$root/pom.xml" -pl tokenizer -am package -DskipTests
java -cp "$root/tokenizer/target/test-classes:$root/tokenizer/target/classes:$root/tokenizer/target/lib/*" \
  dpserve.tokenizer.SimulatedVocabularyMaker "$out"
echo "wrote $out ($(grep -vc '^#' "$out") tokens)"
