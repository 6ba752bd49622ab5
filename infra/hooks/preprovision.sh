#!/usr/bin/env bash
# Before resources are made: who administers the database is who deploys, unless the environment says otherwise.
# For a team set REGISTRY_ADMINISTRATOR_ID, _NAME and _TYPE to a group's: `azd env set`.
set -euo pipefail

if [[ -z ${REGISTRY_ADMINISTRATOR_ID:-} ]]; then
    if [[ $(az account show --query user.type --output tsv) == user ]]; then
        type=User
        id=$(az ad signed-in-user show --query id --output tsv)
        name=$(az ad signed-in-user show --query userPrincipalName --output tsv)
    else
        type=ServicePrincipal
        application=$(az account show --query user.name --output tsv)
        id=$(az ad sp show --id "$application" --query id --output tsv)
        name=$(az ad sp show --id "$application" --query displayName --output tsv)
    fi
    azd env set REGISTRY_ADMINISTRATOR_NAME "$name"
    azd env set REGISTRY_ADMINISTRATOR_TYPE "$type"
    # Last: where it is set, the others are.
    azd env set REGISTRY_ADMINISTRATOR_ID "$id"
fi

# The app's subnet is delegated to this provider, of which no resource is made.
az provider register --namespace Microsoft.App --wait --output none
