#!/usr/bin/env bash
# Measures on a CUDA card all that this project says of cards, in under five minutes, and prints a summary.
# In the folder it leaves doctor.txt, bench.txt, results.json, table.md, tests.txt, summary.txt and the models.
#
#     benchmarks/gpu_check.sh out/gpu                                 # on a card
#     benchmarks/gpu_check.sh out/gpu --device cpu --rounds 1         # tries the script without one
#
# Takes python3, or $PYTHON: with onnxruntime-gpu, torch and pytest, and with dragonnx and dragonnx-export installed
# or in PYTHONPATH. Other programs must leave the card alone.
set -uo pipefail

if [ $# -eq 0 ]; then
    echo "usage: $0 FOLDER [--device cuda] [--rounds N] [--precision auto float32]" >&2
    exit 2
fi
mkdir -p "$1" || exit
folder=$(cd "$1" && pwd)
shift
device=cuda
previous=
for argument in "$@"; do
    [ "$previous" = --device ] && device=$argument
    previous=$argument
done
slower=$([ "$device" = cpu ] && echo 30 || echo 1)
cd "$(dirname "$0")/.." || exit
python=${PYTHON:-python3}
export PYTHONPATH=$PWD/tests${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1
failed=()

# part NAME SECONDS FILE COMMAND...: runs it with a limit, so that one that hangs leaves time for the others.
part() {
    local name=$1 limit=$2 file=$folder/$3 began=$SECONDS status=0
    shift 3
    timeout --kill-after=5 $((limit * slower)) "$@" >"$file" 2>&1 || status=$?
    echo "$name: $((SECONDS - began)) s, status $status"
    if [ $status -ne 0 ]; then
        failed+=("$name")
        tail -n 25 "$file"
    fi
}

measure() {
    part doctor 45 doctor.txt "$python" -m dragonnx.cli doctor --model critters --device "$device"
    part tests 100 tests.txt env DRAGONNX_TEST_CARD="$device" "$python" -m pytest -q -p no:cacheprovider tests/gpu
    part benchmarks 140 bench.txt "$python" benchmarks/drag_step.py \
        --short --device "$device" --bundles "$folder/models" --output "$folder" "$@"
    echo
    grep -E '^(dragonnx|runtime|cuda)' "$folder/doctor.txt"
    echo "graphs with every node on the device: $(grep -c 'every node$' "$folder/doctor.txt"), others:" \
        "$(grep '^graph' "$folder/doctor.txt" | grep -vc 'every node$')"
    sed -n '/^largest difference/,$p' "$folder/doctor.txt"
    tail -n 1 "$folder/tests.txt"
    echo
    cat "$folder/table.md"
    echo
    echo "all together: $SECONDS s, failed: ${failed[*]:-nothing}"
    [ ${#failed[@]} -eq 0 ]
}

measure "$@" | tee "$folder/summary.txt"
