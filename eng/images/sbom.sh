#!/usr/bin/env bash
# Writes what an image is made of, in CycloneDX' JSON: its packages with versions, licences and hashes, without what only builds or tests need.
# Usage: eng/images/sbom.sh phi|trainer|trainer-cuda FILE
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fail() { printf 'sbom.sh: %s\n' "$1" >&2; exit 2; }
[ $# -eq 2 ] || fail "give an image (phi, trainer or trainer-cuda) and a file"
backend=cpu
case $1 in
  phi) project=src/Phi.Cli/Phi.Cli.csproj ;;
  trainer) project=src/Phi.Trainer/Phi.Trainer.csproj ;;
  trainer-cuda) project=src/Phi.Trainer/Phi.Trainer.csproj backend=cuda ;;
  *) fail "'$1' is none of phi, trainer and trainer-cuda" ;;
esac
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")
mkdir -p "$(dirname "$2")"
file=$(realpath "$2")
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

# Restored into a folder of its own: the packages of another backend, or a build that runs at the same time, are none of its business.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet restore "$root/$project" -p:TorchBackend=$backend --artifacts-path "$work" -v quiet >&2

# The tool is pinned in dotnet-tools.json beside this script.
cd "$root/eng/images"
dotnet tool restore >&2
dotnet tool run dotnet-CycloneDX -- "$root/$project" --output "$(dirname "$file")" --filename "$(basename "$file")" --output-format Json \
  --disable-package-restore --recursive --base-intermediate-output-path "$work/obj" --set-name "phi-orchestrator/$1" --set-version "$version" --no-serial-number >&2
