#!/usr/bin/env bash
# Builds images with docker or podman, and a bill of materials beside each.
# Usage: eng/images/build.sh [--registry HOST/PATH] [--tag TAG] [--engine docker|podman] [--push] [phi] [trainer] [trainer-cuda]
# Without names: phi and trainer. Base images: PHI_IMAGE_SDK, PHI_IMAGE_RUNTIME, PHI_IMAGE_CUDA, such as a digest or a mirror's.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
fail() { printf 'build.sh: %s\n' "$1" >&2; exit 2; }

registry=ghcr.io/phi-orchestrator
tag=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")
engine=${PHI_ENGINE:-}
push=
images=()
while [ $# -gt 0 ]; do
  case $1 in
    --registry | --tag | --engine)
      [ -n "${2:-}" ] || fail "$1 needs a value"
      declare "${1#--}=$2"
      shift
      ;;
    --push) push=1 ;;
    phi | trainer | trainer-cuda) images+=("$1") ;;
    *) fail "'$1' is none of --registry, --tag, --engine, --push, phi, trainer and trainer-cuda" ;;
  esac
  shift
done
[ ${#images[@]} -gt 0 ] || images=(phi trainer)

if [ -z "$engine" ]; then
  for candidate in docker podman; do
    if command -v "$candidate" >/dev/null 2>&1; then engine=$candidate; break; fi
  done
fi
[ -n "$engine" ] || fail "neither docker nor podman is on the PATH; install one of them, or name another that takes the same options in PHI_ENGINE"
command -v "$engine" >/dev/null 2>&1 || fail "$engine is not on the PATH"
"$engine" info >/dev/null 2>&1 || fail "$engine does not answer (\`$engine info\`): start it, or choose another with --engine"

bases=()
for base in SDK RUNTIME CUDA; do
  variable=PHI_IMAGE_$base
  [ -z "${!variable:-}" ] || bases+=(--build-arg "$base=${!variable}")
done

for image in "${images[@]}"; do
  case $image in
    phi) name=phi ;;
    *) name=phi-$image ;;
  esac
  reference=$registry/$name:$tag
  "$engine" build --file "$root/eng/images/$image.Dockerfile" --build-arg "VERSION=$tag" "${bases[@]}" --tag "$reference" "$root"
  "$root/eng/images/sbom.sh" "$image" "$root/artifacts/images/$name-$tag.cdx.json"
  [ -z "$push" ] || "$engine" push "$reference"
  echo "$reference"
done
