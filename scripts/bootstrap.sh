#!/usr/bin/env bash
# Make .venv hold exactly what requirements.txt locks; does nothing where it already does.
#
#   scripts/bootstrap.sh            install
#   scripts/bootstrap.sh uv ARG...  run the uv it would install with (`make lock`)
#   scripts/bootstrap.sh audit      make .venv-audit hold what scripts/audit.txt locks (`make audit`)
#
# Each failure ends in one line that says what to do; the details are in var/log/install.log.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
log=var/log/install.log

say() { printf 'spotwise: %s\n' "$1" >&2; }
fail() { say "$1"; exit 1; }

# Python from outside the project: in it, pyenv would insist on the version in .python-version.
outside_python() { (cd / && "${outside:-python3}" "$@"); }

# uv does not read pip's settings, so a machine's mirror and certificates are handed on.
honour_pip_settings() {
    local index cert
    index=${PIP_INDEX_URL:-$(outside_python -m pip config get global.index-url 2>/dev/null || true)}
    cert=${PIP_CERT:-$(outside_python -m pip config get global.cert 2>/dev/null || true)}
    if [ -n "$index" ] && [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then export UV_DEFAULT_INDEX=$index; fi
    if [ -n "$cert" ] && [ -z "${SSL_CERT_FILE:-}" ]; then export SSL_CERT_FILE=$cert; fi
    export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
}

find_uv() {
    for uv in uv "$root/.venv-tools/bin/uv"; do
        if "$uv" --version >/dev/null 2>&1; then return; fi
    done
    say "installing uv into .venv-tools ..."
    rm -rf .venv-tools
    # Debian's own Python may come without venv while another one on the PATH has it.
    for outside in python3 /usr/bin/python3 /usr/local/bin/python3; do
        if outside_python -m venv "$root/.venv-tools" >>"$log" 2>&1; then break; fi
        rm -rf .venv-tools
    done
    [ -d .venv-tools ] || fail "uv is missing, and so is a python3 with venv to install it: see https://docs.astral.sh/uv"
    .venv-tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r scripts/uv.txt >>"$log" 2>&1 \
        || fail "uv could not be downloaded: check the network (or PIP_INDEX_URL), then run make again"
}

# .python-version lets pyenv's shims answer. Where they are not on the PATH (cron, an empty HOME), its
# versions are looked for in their usual places.
make_venv() {
    local home bin
    eval "home=~$(id -un)"
    for bin in "${PYENV_ROOT:-$home/.pyenv}"/versions/3.10.*/bin "$home"/.local/bin; do PATH=$PATH:$bin; done
    say "making .venv with Python 3.10 ..."
    rm -rf .venv
    "$uv" venv --no-project --python 3.10 .venv >>"$log" 2>&1 || fail \
        "Python 3.10 is missing and could not be downloaded: install it (pyenv install 3.10) and run make again"
}

install_packages() {
    say "installing packages, about 1 GB the first time ..."
    # The log has everything; people see how far it is.
    "$uv" pip sync --python .venv/bin/python --require-hashes requirements.txt 2>&1 | tee -a "$log" \
        | { grep --line-buffered -E '^ *(Resolved|Prepared|Installed|Downloading|Downloaded|Building|Built) ' >&2 || true; } \
        || explain_failure
}

explain_failure() {
    local last
    last=$(tail -n 60 "$log")
    case $last in
        *"ash mismatch"*) fail "a package differs from what requirements.txt locks: do not use it, ask where your packages come from" ;;
        *"No space left"*) fail "the disk is full: free about 4 GB and run make again" ;;
        *"gcc"*|*"g++"*|*"clang"*|*"compiler"*)
            fail "a package has to be compiled: install a C compiler (apt install build-essential, or xcode-select --install) and run make again" ;;
        *"Failed to fetch"*|*"Failed to download"*|*"dns error"*|*"onnect"*|*"timed out"*)
            fail "the packages could not be downloaded: check the network (or PIP_INDEX_URL), then run make again" ;;
        *) fail "the packages could not be installed: $log says why" ;;
    esac
}

wanted() { cat .python-version requirements.txt; }

if [ "${1:-}" = audit ] && cmp -s scripts/audit.txt .venv-audit/.installed; then exit 0; fi
if [ -z "${1:-}" ] && [ -x .venv/bin/python ] && wanted | cmp -s - .venv/.installed; then exit 0; fi

mkdir -p var/log
: >"$log"
honour_pip_settings
find_uv
if [ "${1:-}" = uv ]; then shift; exec "$uv" "$@"; fi
if [ "${1:-}" = audit ]; then
    "$uv" venv --quiet --no-project --clear --python .venv/bin/python .venv-audit
    "$uv" pip sync --quiet --python .venv-audit/bin/python --require-hashes scripts/audit.txt
    cp scripts/audit.txt .venv-audit/.installed
    exit 0
fi
.venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 10))' 2>/dev/null || make_venv
install_packages
wanted >.venv/.installed
say "installed."
