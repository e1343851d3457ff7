# shellcheck shell=bash
# A Python environment with exactly the packages of a requirements file. Needs prerequisites.sh.

# require_venv INSTALL DIR REQUIREMENTS: makes or completes the environment, unless it was made from the same file. The
# file names every package with its version, so nothing is resolved.
require_venv() {
  local install=$1 venv=$2 requirements=$3 made=$2/made-from.txt
  cmp -s "$requirements" "$made" && return
  if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
    require_packages "$install" python3-venv
  fi
  echo "installing $(grep -c '==' "$requirements") Python packages"
  [[ -x $venv/bin/python ]] || python3 -m venv "$venv" || fail "cannot make a Python environment in $venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-compile --no-deps -r "$requirements" \
    || fail "pip could not install $requirements"
  cp "$requirements" "$made"
}
