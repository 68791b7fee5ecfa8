#!/usr/bin/env bash
set -euo pipefail

DATA_DIR="${DATA_DIR:-/data/leaves}"
RUN_NAME="${RUN_NAME:-leaves}"

mkdir -p "/runs/${RUN_NAME}"
exec python train.py --data "${DATA_DIR}" --out "/runs/${RUN_NAME}" --epochs 60
