# Sourced by the commands in this folder: installs what they need and the
# machine lacks. Quiet where nothing is missing.

called_from=$PWD
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# One line on standard error, and the end.
fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# usage ARGUMENTS: says how the command is called, and ends with the status for wrong usage.
usage() {
  echo "usage: tools/$(basename "$0") $*" >&2
  exit 64
}

# A path as it was typed, from the folder in which the command was called.
absolute() {
  case $1 in
    /*) echo "$1" ;;
    *) echo "$called_from/$1" ;;
  esac
}

# Runs a command silently; what it printed is shown only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    rm -f "$log"
  else
    local status=$?
    cat "$log" >&2
    rm -f "$log"
    return "$status"
  fi
}

# install_packages APT-NAMES -- BREW-NAMES: with the rights that are there, or
# says what to type and stops.
install_packages() {
  local apt=() brew=()
  while [ "$1" != -- ]; do apt+=("$1"); shift; done
  shift
  brew=("$@")
  if command -v apt-get >/dev/null; then
    local apt_install=(apt-get install -y --no-install-recommends "${apt[@]}")
    if [ "$(id -u)" = 0 ]; then
      echo "installing ${apt[*]}" >&2
      quietly apt-get update
      quietly env DEBIAN_FRONTEND=noninteractive "${apt_install[@]}"
    elif sudo -n true 2>/dev/null; then
      echo "installing ${apt[*]} (sudo)" >&2
      quietly sudo -n apt-get update
      quietly sudo -n env DEBIAN_FRONTEND=noninteractive "${apt_install[@]}"
    else
      fail "missing ${apt[*]}; run: sudo ${apt_install[*]}"
    fi
  elif command -v brew >/dev/null; then
    echo "installing ${brew[*]}" >&2
    quietly brew install "${brew[@]}"
  else
    fail "missing ${apt[*]} (names of Debian's packages), and neither apt-get nor brew to install them"
  fi
}

prepare_swift() {
  command -v swift >/dev/null ||
    fail "missing Swift 6.2 or later; see https://www.swift.org/install"
  # Homebrew keeps its zlib beside the system's, out of pkg-config's sight.
  if command -v brew >/dev/null; then
    PKG_CONFIG_PATH="$(brew --prefix)/opt/zlib/lib/pkgconfig:${PKG_CONFIG_PATH:-}"
    export PKG_CONFIG_PATH
  fi
  if ! command -v pkg-config >/dev/null || ! pkg-config --exists hdf5 zlib; then
    install_packages libhdf5-dev zlib1g-dev pkg-config -- hdf5 zlib pkg-config
    pkg-config --exists hdf5 zlib || fail "pkg-config still does not find hdf5 and zlib"
  fi
}

# Real PyTorch, in the virtual environment .venv; made anew when the
# requirements change.
prepare_python() {
  local python=${PYTHON:-python3} stamp=.venv/requirements.txt
  if ! command -v "$python" >/dev/null || ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    install_packages python3 python3-venv -- python
  fi
  cmp -s tools/requirements.txt "$stamp" && return
  echo "installing PyTorch into .venv" >&2
  rm -rf .venv
  quietly "$python" -m venv .venv
  quietly .venv/bin/python -m pip install --disable-pip-version-check -r tools/requirements.txt
  cp tools/requirements.txt "$stamp"
}

# build_release [WHAT]: the release binary, in $binary, or what else of the package the flags of
# swift build in WHAT name. Its Swift runtime is linked in where that is possible, so that it runs
# on machines without Swift. With ONE_BUILD it is the one that the Swift tests were built with,
# which spares a build where all is new.
build_release() {
  [ $# -gt 0 ] || set -- --product parity-check
  local flags=(-c release)
  if [ -n "${ONE_BUILD:-}" ]; then
    flags+=(-Xswiftc -enable-testing)
  elif [ "$(uname)" = Linux ]; then
    flags+=(--static-swift-stdlib)
  fi
  if [ ! -x .build/release/parity-check ]; then
    echo "building parity-check; the first time takes a few minutes" >&2
  fi
  quietly swift build "${flags[@]}" "$@"
  binary=$root/.build/release/parity-check
}

# Gives the files of a package the date of the commit, so that the same commit and machine give
# the same bytes.
date_of_files() {
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 946684800)
  export SOURCE_DATE_EPOCH
}
