#!/usr/bin/env bash
# Writes every lock anew, with hashes and without a word about indexes or this machine.
#
#   scripts/lock.sh UV [--upgrade]
#
# UV is the uv program to resolve with. `make lock` calls it.
set -euo pipefail
uv=$1
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."

lock() { # OUTPUT PYTHON INPUT...
  local output=$1 python=$2
  shift 2
  "$uv" pip compile --quiet --no-config --universal --python-version "$python" --generate-hashes \
    --no-emit-index-url --no-annotate --custom-compile-command "make lock" \
    --output-file "$output" "$@" >/dev/null
  echo "$output"
}

data=src/aarch64_wheels/data
lock requirements/run.txt 3.11 "$@" pyproject.toml
lock requirements/publish.txt 3.11 "$@" --constraints requirements/run.txt --extra publish \
  pyproject.toml
lock requirements/dev.txt 3.11 "$@" --constraints requirements/publish.txt --extra publish \
  --group dev pyproject.toml
lock requirements/bench.txt 3.11 "$@" --constraints requirements/dev.txt \
  requirements/bench.in pyproject.toml
lock requirements/uv.txt 3.11 "$@" --constraints requirements/run.txt requirements/uv.in
# These two are data of the package: the embedded image is made from them, and its cache is
# keyed by their bytes, so that they hold nothing but the lock.
lock "$data/image.txt" 3.9 "$@" --no-header requirements/image.in
lock "$data/image-tools.txt" 3.13 "$@" --no-header --constraints requirements/run.txt \
  requirements/image-tools.in
# Likewise for the native tools, whose Python may be any that runs this project.
lock "$data/native.txt" 3.11 "$@" --no-header --constraints requirements/run.txt \
  requirements/native.in
