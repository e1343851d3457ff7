# shellcheck shell=bash
# The processes of a topology: where each one's code is, and the JVM flags it gets.

# Start order is the table's order; any other would do as well.
readonly ROLES=(controller scheduler detokenizer tokenizer)

declare -rA ROLE_MODULE=(
  [router]=tokenizer
  [tokenizer]=tokenizer
  [detokenizer]=tokenizer
  [controller]=controller
  [scheduler]=scheduler
)
declare -rA ROLE_MAIN=(
  [router]=dpserve.router.process.RouterMain
  [tokenizer]=dpserve.tokenizer.process.TokenizerManagerMain
  [detokenizer]=dpserve.detokenizer.process.DetokenizerMain
  [controller]=dpserve.controller.process.DataParallelControllerMain
  [scheduler]=dpserve.scheduler.process.SchedulerMain
)
# The flag that tells a process which of its kind it is.
declare -rA ROLE_INDEX_FLAG=(
  [tokenizer]=--tokenizer-worker-index
  [detokenizer]=--detokenizer-index
  [scheduler]=--dp-rank
)

# role_class_path ROLE
role_class_path() {
  local module=${ROLE_MODULE[$1]}
  echo "$(module_jar "$module"):$ROOT/$module/target/lib/*$([[ $1 == controller ]] || optional_class_path)"
}

# role_jvm_flags ROLE: sets JVM_FLAGS from jvm-flags.txt, and from DPSERVE_JVM_FLAGS (words) at the end.
role_jvm_flags() {
  local role flag
  JVM_FLAGS=()
  while read -r role flag; do
    case $role in
      all | "$1") JVM_FLAGS+=("$flag") ;;
      java23) ((JAVA_MAJOR >= 23)) && JVM_FLAGS+=("$flag") ;;
    esac
  done <"$ROOT/scripts/lib/jvm-flags.txt"
  # shellcheck disable=SC2206 # split into words on purpose
  JVM_FLAGS+=(${DPSERVE_JVM_FLAGS:-})
}
