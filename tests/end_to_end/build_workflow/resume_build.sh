#!/bin/bash
# What another server needs in order to go on with a build: fetched with a key that may only read,
# and verified before it gets its name. The settings are those of complete_build.sh.
set -euo pipefail

CONTEXT=$(curl -fsS "$API_URL/builds/$BUILD_ID/resume-context" -H "X-API-Key: $API_KEY")
ARTIFACTS=$(jq -r '.resume_from.code as $state
  | .resumable_artifacts[] | select(.state_code == $state)
  | [.artifact_path, .checksum] | join(" ")' <<< "$CONTEXT")
if [ -z "$ARTIFACTS" ]; then
  echo "There is nothing to go on from." >&2
  exit 3
fi

while read -r URL CHECKSUM; do
  FILE=$(basename "$URL")
  trap 'rm -f "$FILE.part"' EXIT
  curl -fsS -o "$FILE.part" "$URL?$STORAGE_TOKEN"
  sha256sum --check --quiet <<< "${CHECKSUM#sha256:}  $FILE.part"
  mv "$FILE.part" "$FILE"
  echo "Going on from $FILE"
done <<< "$ARTIFACTS"
