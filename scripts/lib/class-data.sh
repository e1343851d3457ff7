# shellcheck shell=bash
# Class-data archives: what a JVM would otherwise read and check from jars at every start. The first launch with new jars
# or another JDK notes which classes each role loads, and makes an archive for each once the topology serves; later ones use
# them. Nothing depends on them: a JVM goes without an archive that is missing, damaged or another JDK's, and says nothing.

readonly CLASS_DATA_DIR=$BUILD_DIR/class-data

# An archive takes about two seconds of CPU, which must not disturb what the topology is there for.
readonly CLASS_DATA_NICENESS=19

CLASS_DATA_JDK=       # folder of this JDK's archives
CLASS_DATA_MAKER=     # pid of the job that makes them
declare -A CLASS_DATA=() # by role: what its archive has to be made from
declare -A CLASS_LIST=() # by role: where its first process notes its classes; unset once that one has started

# use_class_data ROLE...: to be called once JAVA and the run folder are known.
use_class_data() {
  local home role
  home=$(dirname "$(dirname "$(readlink -f "$JAVA")")")
  CLASS_DATA_JDK=$CLASS_DATA_DIR/${home//\//_}
  for role in "$@"; do
    CLASS_DATA[$role]=$(class_data_sources "$home" "$role")
    has_class_data "$role" || CLASS_LIST[$role]=$RUN_DIR/tmp/$role.classes
  done
}

# class_data_sources JDK_HOME ROLE: the files that an archive depends on, with sizes and times.
class_data_sources() {
  local jars
  IFS=: read -r -a jars <<<"$(role_class_path "$2")"
  # shellcheck disable=SC2068,SC2206 # the entries end in /* on purpose
  jars=(${jars[@]})
  stat -c '%n %s %y' "$1/lib/server/libjvm.so" "${jars[@]}" 2>/dev/null || true
}

class_data_file() {
  echo "$CLASS_DATA_JDK/$1${OPTIONAL_MODULES[*]:+-${OPTIONAL_MODULES[*]}}.jsa"
}

# has_class_data ROLE: whether there is an archive of these very files.
has_class_data() {
  local file
  file=$(class_data_file "$1")
  [[ -r $file && -r $file.sources && $(<"$file.sources") == "${CLASS_DATA[$1]:-}" ]]
}

# class_data_flags ROLE: sets CLASS_DATA_FLAGS, the JVM flags with which a process of this role starts.
class_data_flags() {
  CLASS_DATA_FLAGS=()
  [[ -n ${CLASS_DATA[$1]:-} ]] || return 0
  if has_class_data "$1"; then
    CLASS_DATA_FLAGS=("-XX:SharedArchiveFile=$(class_data_file "$1")" -Xlog:cds=off -Xlog:cds+dynamic=off)
  elif [[ -n ${CLASS_LIST[$1]:-} && ! -e ${CLASS_LIST[$1]} ]]; then
    : >"${CLASS_LIST[$1]}" # further processes of this role note nothing
    # shellcheck disable=SC2034 # read by start_process
    CLASS_DATA_FLAGS=("-XX:DumpLoadedClassList=${CLASS_LIST[$1]}")
  fi
}

# make_class_data: begins to make what is missing, behind everything else; one launch at a time.
make_class_data() {
  ((${#CLASS_LIST[@]} > 0)) || return 0
  mkdir -p "$CLASS_DATA_JDK" 2>/dev/null || return 0
  make_archives </dev/null >"$RUN_DIR/logs/class-data.log" 2>&1 {LOCK_FD}>&- &
  CLASS_DATA_MAKER=$!
}

make_archives() {
  local role lock dump=''
  trap '[[ -z $dump ]] || kill "$dump"; exit' TERM
  trap '' INT HUP
  exec {lock}>"$CLASS_DATA_DIR/lock"
  flock -n "$lock" || return 0
  for role in "${!CLASS_LIST[@]}"; do
    has_class_data "$role" || make_archive "$role" || true
  done
}

# make_archive ROLE: the list is still being written to, so its last line may be a part of one.
make_archive() {
  local file list=${CLASS_LIST[$1]}.whole
  file=$(class_data_file "$1")
  sed '$d' "${CLASS_LIST[$1]}" >"$list"
  # G1, so that the archive holds heap objects too, whichever collector reads them.
  nice -n "$CLASS_DATA_NICENESS" "$JAVA" -Xshare:dump -XX:+UseG1GC -Xmx256m -XX:-UsePerfData "-XX:SharedClassListFile=$list" \
    "-XX:SharedArchiveFile=$file.new" -cp "$(role_class_path "$1")" {lock}>&- &
  dump=$!
  wait "$dump" || return 1
  dump=''
  rm -f "$file.sources"
  mv -f "$file.new" "$file"
  echo "${CLASS_DATA[$1]}" >"$file.sources"
}

# stop_class_data: ends the job, if it is still at it.
stop_class_data() {
  [[ -n $CLASS_DATA_MAKER ]] || return 0
  kill "$CLASS_DATA_MAKER" 2>/dev/null || true
  wait "$CLASS_DATA_MAKER" 2>/dev/null || true
}
