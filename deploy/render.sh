#!/usr/bin/env bash
# Prints deploy/phi-orchestrator.yaml: deploy/render.sh > deploy/phi-orchestrator.yaml
# Needs helm; ./phi test puts one into artifacts/tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH=$PATH:$PWD/artifacts/tools
command -v helm >/dev/null || { echo "render.sh: helm is not on the PATH; ./phi test Chart puts it into artifacts/tools" >&2; exit 2; }
exec helm template phi charts/phi-orchestrator --namespace phi-system --no-hooks --values deploy/values.yaml "$@"
