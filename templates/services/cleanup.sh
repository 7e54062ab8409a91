# shellcheck shell=sh
# Forgets the failures of the service $id on all nodes, so that the cluster starts it again.
require
said=$(crm_resource --cleanup --resource "$id" 2>&1) || fail "$(last "$said")"
