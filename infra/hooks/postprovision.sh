#!/usr/bin/env bash
# After resources were made: the pepper of API keys, once. A new one would end every key there is.
# It goes through Azure Resource Manager, which a private vault's firewall lets pass; nobody reads it back.
set -euo pipefail

secrets=$REGISTRY_VAULT_ID/secrets
version=api-version=2024-11-01

found=$(az rest --method get --url "$secrets?$version" \
    --query "length(value[?name=='$REGISTRY_PEPPER_NAME'])" --output tsv)
if [[ $found == 0 ]]; then
    pepper=$(openssl rand -hex 48)
    # By standard input: arguments of a process are everybody's to see.
    printf '{"properties": {"value": "%s", "contentType": "text/plain"}}' "$pepper" |
        az rest --method put --url "$secrets/$REGISTRY_PEPPER_NAME?$version" --body @- --output none
fi

# The app looked for it when it was made, and would not look again for a day. Each time, for a run before this one may
# have been stopped right here.
az rest --method post --output none \
    --url "$REGISTRY_APP_ID/config/configreferences/appsettings/refresh?api-version=2022-03-01"
