#!/usr/bin/env bash
# Fills a folder with what the Docker image holds: the built package and its production dependencies, exactly as locked.
# usage: scripts/image.sh TARGET     (TARGET is made; if it is there it must be empty). Needs `npm ci` to have run in this clone.

set -euo pipefail

target=${1:?usage: scripts/image.sh TARGET}
root=$(cd "$(dirname "$0")/.." && pwd)
export PATH="$root/node_modules/.bin:$PATH"

mkdir -p "$target"
target=$(cd "$target" && pwd)
if [ -n "$(ls -A "$target")" ]; then
  echo "scripts/image.sh: $target is not empty" >&2
  exit 2
fi

packed=$(mktemp -d)
trap 'rm -rf "$packed"' EXIT

cd "$root"
node scripts/build.ts
npm pack --ignore-scripts --silent --pack-destination "$packed" >/dev/null
tar -xzf "$packed"/*.tgz -C "$target" --strip-components=1

# npm ci wants the lock beside the package.json; the image does not.
cp package-lock.json "$target/"
cd "$target"
npm ci --omit=dev --ignore-scripts --prefer-offline --no-audit --no-fund --silent
rm package-lock.json
