# shellcheck shell=bash
# The command line of launch.sh: its own flags, and those of the processes (flags.tsv), each passed to whoever takes it.

# Flags of the launcher itself: name, label of its value (- for none), default, description.
readonly LAUNCHER_FLAGS=(
  "--run-dir|DIR|run/ in the repository|Folder for logs, pids and topology.json of this run."
  "--detach|-|-|Return when ready; stop with scripts/stop.sh."
  "--restart|-|-|Start a process that died again, after 0.1 s and then twice as long each time, up to 30 s."
  "--install|-|-|Install a missing JDK or Maven with apt."
  "--no-build|-|-|Use the jars as they are."
  "--ready-timeout-s|SECONDS|60|Longest wait until the topology is ready."
  "--stop-timeout-s|SECONDS|-|Longest wait for the processes to end by themselves when stopped; then they are killed (default: --drain-timeout-s and 10 more)."
  "--help|-|-|This text."
)

# Flags that no list of processes is to show: they reach the processes by the environment.
declare -rA SECRET_VARIABLE=([--api-key]=DPSERVE_API_KEY [--admin-api-key]=DPSERVE_ADMIN_API_KEY)

declare -A FLAG_ROLES FLAG_LABEL FLAG_NAME # by every name of a flag
declare -A FLAG_VALUE                      # by first name: what was given, or the default
FLAG_ORDER=()
declare -A FLAG_NAMES FLAG_DEFAULT FLAG_TEXT # by first name
declare -A GIVEN                             # by first name: given on the command line
GIVEN_ORDER=()                               # pairs: first name, value

# add_flag NAMES ROLES LABEL DEFAULT TEXT: NAMES comma separated, the first is the one used everywhere else.
add_flag() {
  local first=${1%%,*} name names
  IFS=, read -r -a names <<<"$1"
  for name in "${names[@]}"; do
    FLAG_NAME[$name]=$first
  done
  FLAG_ORDER+=("$first")
  FLAG_NAMES[$first]=$1
  FLAG_ROLES[$first]=$2
  FLAG_LABEL[$first]=$3
  FLAG_DEFAULT[$first]=$4
  FLAG_TEXT[$first]=$5
  [[ $4 == - ]] || FLAG_VALUE[$first]=$4
}

# load_flags: reads both tables.
load_flags() {
  local line names roles label default text
  for line in "${LAUNCHER_FLAGS[@]}"; do
    IFS='|' read -r names label default text <<<"$line"
    add_flag "$names" launcher "$label" "$default" "$text"
  done
  while IFS=$'\t' read -r names roles label default text; do
    [[ $names == --* ]] || continue
    add_flag "$names" "$roles" "$label" "$default" "$text"
  done <"$ROOT/scripts/lib/flags.tsv"
}

# parse_flags ARGUMENT...: fills GIVEN and FLAG_VALUE; a flag that no process takes ends the script.
parse_flags() {
  local name value first
  while (($# > 0)); do
    name=${1%%=*}
    first=${FLAG_NAME[$name]:-}
    if [[ -z $first ]]; then
      [[ $name == -* ]] || fail "unexpected argument '$1' (flags start with --)" "$EXIT_USAGE"
      fail "unknown flag $name; did you mean $(nearest_flag "$name")? (--help lists all)" "$EXIT_USAGE"
    fi
    if [[ ${FLAG_LABEL[$first]} == - ]]; then
      value=true
      [[ $1 != *=* ]] || value=${1#*=}
      [[ $value == true || $value == false ]] || fail "$name takes no value" "$EXIT_USAGE"
    elif [[ $1 == *=* ]]; then
      value=${1#*=}
    else
      (($# > 1)) || fail "$name needs a value: $name ${FLAG_LABEL[$first]}" "$EXIT_USAGE"
      value=$2
      shift
    fi
    shift
    [[ -z ${GIVEN[$first]:-} ]] || fail "$name is given twice" "$EXIT_USAGE"
    GIVEN[$first]=1
    GIVEN_ORDER+=("$first")
    FLAG_VALUE[$first]=$value
  done
}

# export_secrets: for the processes started from now on.
export_secrets() {
  local first
  for first in "${!SECRET_VARIABLE[@]}"; do
    if [[ -n ${GIVEN[$first]:-} ]]; then
      export "${SECRET_VARIABLE[$first]}=${FLAG_VALUE[$first]}"
    fi
  done
}

# role_flags ROLE: sets ROLE_FLAGS to the given flags that processes of this role take, but for secrets.
role_flags() {
  local first
  ROLE_FLAGS=()
  for first in "${GIVEN_ORDER[@]}"; do
    if [[ ,${FLAG_ROLES[$first]}, == *,$1,* && -z ${SECRET_VARIABLE[$first]:-} ]]; then
      ROLE_FLAGS+=("$first=${FLAG_VALUE[$first]}")
    fi
  done
}

# require_count FLAG MIN MAX: the value must be a whole number in this range.
require_count() {
  local value=${FLAG_VALUE[$1]}
  if ! [[ $value =~ ^[0-9]{1,9}$ ]] || ((10#$value < $2 || 10#$value > $3)); then
    fail "$1 must be a whole number from $2 to $3, not '$value'" "$EXIT_USAGE"
  fi
}

# nearest_flag NAME: the known flag with the least edit distance.
nearest_flag() {
  printf '%s\n' "${!FLAG_NAME[@]}" | awk -v wanted="$1" '
    function distance(a, b,    i, j, cost, row, last, up) {
      for (j = 0; j <= length(b); j++) row[j] = j
      for (i = 1; i <= length(a); i++) {
        last = row[0]; row[0] = i
        for (j = 1; j <= length(b); j++) {
          up = row[j]
          cost = last + (substr(a, i, 1) != substr(b, j, 1))
          if (up + 1 < cost) cost = up + 1
          if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1
          last = up; row[j] = cost
        }
      }
      return row[length(b)]
    }
    { d = distance(wanted, $0); if (NR == 1 || d < best || (d == best && $0 < name)) { best = d; name = $0 } }
    END { print name }'
}

# print_flags: every flag with who takes it, its default and what it does.
print_flags() {
  local first label
  for first in "${FLAG_ORDER[@]}"; do
    label=${FLAG_LABEL[$first]}
    [[ $label != - ]] && label=" $label" || label=
    echo "  ${FLAG_NAMES[$first]//,/, }$label"
    # shellcheck disable=SC2001 # a whole line's start, not a substring
    echo "${FLAG_TEXT[$first]}$(default_note "$first") [${FLAG_ROLES[$first]}]" | fold -s -w 92 | sed 's/^/        /'
  done
}

# default_note FLAG: the default, unless the description names it.
default_note() {
  [[ ${FLAG_DEFAULT[$1]} == - || ${FLAG_TEXT[$1]} == *"(default"* ]] || echo " (default: ${FLAG_DEFAULT[$1]})"
}
