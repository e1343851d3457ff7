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

# http_reply METHOD HOST PORT PATH KEY TIMEOUT_S: prints the status, a line end and the body of an empty request's reply; KEY
# may be empty. Fails if there is no whole reply.
http_reply() (
  exec 2>/dev/null
  exec {fd}<>"/dev/tcp/$2/$3" || exit 1
  printf '%s %s HTTP/1.1\r\nHost: %s:%s\r\nContent-Length: 0\r\nConnection: close\r\n%s\r\n' \
    "$1" "$4" "$2" "$3" "${5:+Authorization: Bearer $5$'\r\n'}" >&"$fd"
  read -r -t "$6" -u "$fd" _ status _ || exit 1
  echo "$status"
  while read -r -t "$6" -u "$fd" line && [[ $line != $'\r' ]]; do :; done
  timeout "$6" cat <&"$fd"
)

# is_port_open HOST PORT: whether someone accepts connections there.
is_port_open() (
  exec 2>/dev/null
  exec {fd}<>"/dev/tcp/$1/$2"
)
