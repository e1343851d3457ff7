# shellcheck shell=bash
# Builds the jars when a source is newer than the last build; one build at a time.

readonly BUILD_DIR=$ROOT/target
readonly BUILD_LOG=$BUILD_DIR/build.log
readonly BUILD_STAMP=$BUILD_DIR/build.stamp
MODULES=(common-io tokenizer controller scheduler bench)

# Modules that only some topologies need, built with a Maven profile of their name: those of this one.
OPTIONAL_MODULES=()

# Lines of Maven's output shown when the build fails.
readonly BUILD_ERROR_LINES=15

# use_optional_module MODULE
use_optional_module() {
  OPTIONAL_MODULES+=("$1")
  MODULES+=("$1")
}

# optional_class_path: what optional modules add to a class path, each entry with a colon before it.
optional_class_path() {
  local module
  for module in "${OPTIONAL_MODULES[@]}"; do
    printf ':%s:%s' "$(module_jar "$module")" "$ROOT/$module/target/lib/*"
  done
}

# module_jar MODULE
module_jar() {
  echo "$ROOT/$1/target/$1-0.1.0-SNAPSHOT.jar"
}

# build_needed: whether a jar is missing or older than what it is made from. Folders count too, so a deleted file is seen.
build_needed() {
  local module sources=("$ROOT/pom.xml")
  [[ -e $BUILD_STAMP ]] || return 0
  for module in "${MODULES[@]}"; do
    [[ -e $(module_jar "$module") ]] || return 0
    sources+=("$ROOT/$module/pom.xml" "$ROOT/$module/src/main")
  done
  [[ -n $(find "${sources[@]}" -newer "$BUILD_STAMP" -print -quit) ]]
}

# build_if_needed INSTALL
build_if_needed() {
  local began=$SECONDS lock
  build_needed || return 0
  require_build_tools "$1"
  mkdir -p "$BUILD_DIR"
  exec {lock}>"$BUILD_DIR/build.lock"
  flock "$lock"
  if build_needed; then # not built meanwhile by another launch
    echo "building (log: $BUILD_LOG)"
    touch "$BUILD_STAMP.new" # a source saved while Maven runs is newer than this
    if ! mvn -q "${OPTIONAL_MODULES[@]/#/-P}" -B -ntp -f "$ROOT/pom.xml" -Dmaven.test.skip=true -Dspotless.check.skip=true package \
      >"$BUILD_LOG" 2>&1 </dev/null; then
      grep -E '^\[ERROR\]' -m "$BUILD_ERROR_LINES" "$BUILD_LOG" >&2 || tail -n "$BUILD_ERROR_LINES" "$BUILD_LOG" >&2
      fail "the build failed, see $BUILD_LOG"
    fi
    mv "$BUILD_STAMP.new" "$BUILD_STAMP"
    echo "built in $((SECONDS - began)) s"
  fi
  exec {lock}>&-
}
