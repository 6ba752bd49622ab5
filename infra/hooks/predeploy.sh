#!/usr/bin/env bash
# Before code is deployed: the database's roles and migrations. The code of before goes on meanwhile: docs/upgrades.md.
set -euo pipefail

python=${REGISTRY_PYTHON:-.venv/bin/python}
if ! command -v "$python" > /dev/null; then
    make tools
fi

# Who deploys is who signed in with `az login`, in a pipeline too.
export AZURE_TOKEN_CREDENTIALS=AzureCliCredential
exec "$python" -m infra.hooks.database
