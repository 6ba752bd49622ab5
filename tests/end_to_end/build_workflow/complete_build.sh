#!/bin/bash
# "Complete Build Workflow with Artifacts", as the source document has it: two servers share a build
# by way of stored artifacts. Azure Blob Storage is in the place of S3, and random bytes in packer's.
#
# complete_build.sh [STATE...]: the states that this server is for; without, it is for all.
set -euo pipefail

: "${API_URL:?such as https://HOST/api}" "${API_KEY:?}" "${BUILD_ID:?}"
: "${PROJECT_BUCKET:?the URL of a container}" "${STORAGE_TOKEN:?a shared access signature for it}"

# State 10: Create base VM image
state_10() {
  echo "State 10: Creating base image..."
  BASE_IMAGE="base-image.qcow2"
  head -c 3000000 /dev/urandom > "$BASE_IMAGE"

  # Upload to storage
  echo "Uploading base image to storage..."
  CHECKSUM=$(sha256sum "$BASE_IMAGE" | awk '{print $1}')
  SIZE=$(stat -c %s "$BASE_IMAGE") # the document's -f%z is how BSD spells it
  curl -fsS -T "$BASE_IMAGE" -H "x-ms-blob-type: BlockBlob" \
    "$PROJECT_BUCKET/$BUILD_ID/state-10/$BASE_IMAGE?$STORAGE_TOKEN"

  # Record artifact location
  curl -X POST "$API_URL/builds/$BUILD_ID/state" \
    -H "X-API-Key: $API_KEY" \
    -H "Content-Type: application/json" \
    -d "{
      \"state_name\": \"base-image-created\",
      \"message\": \"Base image created and uploaded\",
      \"artifact_storage_type\": \"azure_blob\",
      \"artifact_storage_path\": \"$PROJECT_BUCKET/$BUILD_ID/state-10/$BASE_IMAGE\",
      \"artifact_size_bytes\": $SIZE,
      \"artifact_checksum\": \"sha256:$CHECKSUM\"
    }"
}

# State 20: Install packages (may run on different server)
state_20() {
  echo "State 20: Installing packages..."

  # Download previous artifact
  PREV_ARTIFACT=$(curl -s "$API_URL/builds/$BUILD_ID/states" \
    -H "X-API-Key: $API_KEY" \
    | jq -r '.[] | select(.state == 10) | .artifact_storage_path')

  echo "Downloading artifact from: $PREV_ARTIFACT"
  curl -fsS -o "base-image.qcow2" "$PREV_ARTIFACT?$STORAGE_TOKEN"

  # Verify checksum
  EXPECTED_CHECKSUM=$(curl -s "$API_URL/builds/$BUILD_ID/states" \
    -H "X-API-Key: $API_KEY" \
    | jq -r '.[] | select(.state == 10) | .artifact_checksum' \
    | sed 's/sha256://')

  ACTUAL_CHECKSUM=$(sha256sum base-image.qcow2 | awk '{print $1}')

  if [ "$EXPECTED_CHECKSUM" != "$ACTUAL_CHECKSUM" ]; then
    echo "ERROR: Checksum mismatch!"
    exit 1
  fi

  echo "Checksum verified successfully!"

  # Continue with package installation...
  # ... build process continues ...
}

[ $# -gt 0 ] || set -- 10 20
for STATE; do
  "state_$STATE"
done
