# shellcheck shell=bash
# What every script here needs: the repository's root, errors as one line, processes by pid.

if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 501)); then
  echo "error: bash 5.1 or newer is needed, this is $BASH_VERSION" >&2
  exit 1
fi

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
readonly ROOT

# Exit codes of the Java processes (dpserve.io.process.CommandRunner), used by the scripts too.
readonly EXIT_FAILURE=1
readonly EXIT_USAGE=2

# fail MESSAGE [EXIT_CODE]: one line on stderr, then the end.
fail() {
  echo "error: $1" >&2
  exit "${2:-$EXIT_FAILURE}"
}

# json_string TEXT: TEXT as a JSON string, quotes included.
json_string() {
  local text=$1 out='"' i char
  for ((i = 0; i < ${#text}; i++)); do
    char=${text:i:1}
    case $char in
      [\"\\]) out+="\\$char" ;;
      [[:cntrl:]]) out+=$(printf '\\u%04x' "'$char") ;;
      *) out+=$char ;;
    esac
  done
  printf '%s"' "$out"
}

# process_start_time PID: when the process began, in clock ticks since boot; nothing for one that is gone or a zombie.
# A pid alone may belong to someone else by now; pid and start time together do not.
process_start_time() {
  local stat fields
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  stat=${stat##*) } # the command name in brackets may itself hold spaces and brackets
  read -r -a fields <<<"$stat"
  [[ ${fields[0]} != Z && ${fields[0]} != X ]] || return 1
  echo "${fields[19]}"
}

# is_running PID START_TIME: whether that very process still runs.
is_running() {
  [[ $(process_start_time "$1") == "$2" ]]
}

# describe_status STATUS: the exit status of a child in words.
describe_status() {
  if (($1 > 128)); then
    echo "killed by SIG$(kill -l $(($1 - 128)))"
  else
    echo "exit status $1"
  fi
}
