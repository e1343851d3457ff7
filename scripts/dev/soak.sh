#!/usr/bin/env bash
# Sends many requests (10,000, 200 in flight) through topologies of several shapes and checks every reply, every table and
# every log. Environment: SOAK_REQUESTS, SOAK_IN_FLIGHT, SOAK_SEED, SOAK_SHAPES (tokenizers x detokenizers, comma separated).
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
mvn -q -B -ntp -f "$root/pom.xml" -Pit -pl bench -am integration-test \
  -DskipTests -Dit.test=SoakIT \
  "-Dsoak.requests=${SOAK_REQUESTS:-10000}" "-Dsoak.in-flight=${SOAK_IN_FLIGHT:-200}" "-Dsoak.seed=${SOAK_SEED:-1}" \
  "-Dsoak.shapes=${SOAK_SHAPES:-1x1,4x1,1x2,4x2}"
