#!/usr/bin/env bash
# Measure Firnline on the peers' harness, interleaved with its floor, and print the table.
#   tests/benchmarks/run_peers.sh HARNESS [--peers floor,firnline] [--workloads W2,W8] [--reps 5]
# HARNESS is the folder with run_all.py and peers/; it is copied, never written to. Environments of other peers are
# made by the harness's own setup.sh.
set -euo pipefail
harness=$(cd "$1" && pwd)
shift
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export ROOT=${ROOT:-$HOME/.cache/firnline-bench}
copy=$ROOT/harness
rm -rf "$copy"
mkdir -p "$ROOT/venvs" "$copy"
cp -rT "$harness" "$copy"
chmod -R u+w "$copy"
cp -r "$project/tests/benchmarks/peer" "$copy/peers/firnline"

python=${PYTHON:-python3.11}
pandas=(pandas==2.3.3 pyarrow==22.0.0 numpy==2.2.6) # as every peer's
for peer in floor firnline; do
    [ -x "$ROOT/venvs/$peer/bin/python" ] || "$python" -m venv "$ROOT/venvs/$peer"
    "$ROOT/venvs/$peer/bin/pip" install -qq --disable-pip-version-check "${pandas[@]}"
done
# The dependencies first; then the project itself anew, whatever its version says.
"$ROOT/venvs/firnline/bin/pip" install -qq --disable-pip-version-check "$project"
"$ROOT/venvs/firnline/bin/pip" install -qq --disable-pip-version-check --force-reinstall --no-deps \
    "$project" "$project/tests/benchmarks/peer/distribution"

"$python" "$copy/run_all.py" --out "$copy/results.json" "$@"
sed -n '/^## Times/,/^## Runs/p' "$copy/RESULTS.md"
