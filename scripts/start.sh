#!/usr/bin/env bash
# Runs a module of this package in its private environment: a step of action.yml.
#
#   start.sh REQUIREMENTS MODULE       (REQUIREMENTS: run, publish)
#
# It takes a Python of 3.11 or newer: from PATH, or one of those that GitHub's images bring along
# (Ubuntu 22.04's own is 3.10). -P and -I keep the checkout's modules out of the way.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

for python in python3 python3.{14,13,12,11} "${RUNNER_TOOL_CACHE:-}"/Python/3.1[1-9]*/*/bin/python3; do
  "$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
  python=
done
if [ -z "$python" ]; then
  echo "::error title=aarch64-wheels::no Python 3.11 or newer on PATH or in the tool cache%0Anext: add a step with actions/setup-python before this one"
  exit 3
fi
# In the shell's place: when a job is cancelled, the runner signals this process alone.
export PYTHONPATH="$here/src"
exec "$python" -I "$here/scripts/bootstrap.py" --requirements "$here/requirements/$1.txt" -- -P -m "$2"
