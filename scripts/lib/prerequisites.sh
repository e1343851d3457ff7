# shellcheck shell=bash
# A JDK 17 or newer and Maven: found, or named with the line that installs them, or installed.

readonly MIN_JAVA=17

# install_packages PACKAGE...: with apt, quietly; the log is shown only when it fails.
install_packages() {
  local sudo=() log
  command -v apt-get >/dev/null || fail "cannot install $*: there is no apt-get here"
  ((EUID == 0)) || sudo=(sudo)
  echo "installing $*"
  log=$(mktemp)
  if ! { "${sudo[@]}" apt-get update && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    fail "apt-get could not install $*"
  fi
  rm -f "$log"
}

# require_packages INSTALL PACKAGE...: installs them if INSTALL is true; else says how and ends.
require_packages() {
  local install=$1
  shift
  if [[ $install != true ]]; then
    fail "missing: $*. Install with: sudo apt-get install -y --no-install-recommends $* (or pass --install)"
  fi
  install_packages "$@"
}

# java_major JAVA: the feature release of a java binary (17, 25), from its release file, which is quicker than asking it.
java_major() {
  local home line version
  home=$(dirname "$(dirname "$(readlink -f "$1")")")
  if [[ -r $home/release ]]; then
    while read -r line; do
      [[ $line == JAVA_VERSION=* ]] && version=${line#*=}
    done <"$home/release"
  fi
  if [[ -z ${version:-} ]]; then
    version=$("$1" -version 2>&1 | sed -n 's/.* version \("[^"]*"\).*/\1/p' | head -n 1)
  fi
  version=${version//\"/}
  version=${version#1.} # 1.8 is 8
  echo "${version%%[^0-9]*}"
}

# find_java: sets JAVA to the java of JAVA_HOME or of the path, and JAVA_MAJOR.
find_java() {
  JAVA_MAJOR=0
  if [[ -n ${JAVA_HOME:-} ]]; then
    JAVA=$JAVA_HOME/bin/java
    [[ -x $JAVA ]] || fail "JAVA_HOME is $JAVA_HOME, but there is no bin/java in it"
  else
    JAVA=$(command -v java) || return 1
  fi
  JAVA_MAJOR=$(java_major "$JAVA")
  [[ -n $JAVA_MAJOR ]] || fail "cannot tell the version of $JAVA"
  ((JAVA_MAJOR >= MIN_JAVA))
}

# has_compiler: whether the java found belongs to a JDK.
has_compiler() {
  [[ -x $(dirname "$(readlink -f "$JAVA")")/javac ]]
}

# require_java INSTALL: a java that can run the processes.
require_java() {
  if ! find_java; then
    if [[ -n ${JAVA_HOME:-} ]]; then
      fail "JAVA_HOME is $JAVA_HOME, which is Java $JAVA_MAJOR; Java $MIN_JAVA or newer is needed"
    fi
    require_packages "$1" openjdk-17-jdk-headless
    find_java || fail "Java $MIN_JAVA or newer is needed; $(command -v java) is Java $JAVA_MAJOR"
  fi
}

# require_build_tools INSTALL: a JDK and Maven.
require_build_tools() {
  local missing=()
  require_java "$1"
  has_compiler || missing+=(openjdk-17-jdk-headless)
  command -v mvn >/dev/null || missing+=(maven)
  ((${#missing[@]} == 0)) || require_packages "$1" "${missing[@]}"
  find_java
}
