#!/bin/sh
# Renews the locks: exact versions with hashes, no download addresses.
set -eu
cd "$(dirname "$0")/../.."
compile() { .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url "$@"; }
compile pyproject.toml -o deploy/lock/runtime.txt
compile pyproject.toml --extra dev -o deploy/lock/dev.txt
printf 'atheris<3.1\n' | compile - -o deploy/lock/fuzz.txt
printf 'setuptools\nwheel\n' | compile --allow-unsafe - -o deploy/lock/build.txt
if grep -nE 'https?://' deploy/lock/*.txt; then
    echo "lock: an address got into a lock file" >&2
    exit 1
fi
