# shellcheck shell=bash
# As much HTTP as waiting for a server takes, without curl.

# http_status HOST PORT PATH TIMEOUT_S: prints the status code of a GET; fails if there is no answer.
http_status() (
  exec 2>/dev/null
  exec {fd}<>"/dev/tcp/$1/$2" || exit 1
  printf 'GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n' "$3" "$1" "$2" >&"$fd"
  read -r -t "$4" -u "$fd" _ status _ || exit 1
  echo "$status"
)

# is_port_open HOST PORT: whether someone accepts connections there.
is_port_open() (
  exec 2>/dev/null
  exec {fd}<>"/dev/tcp/$1/$2"
)
