# shellcheck shell=sh
# Moves the service $id to $node, within $seconds, and lets it stay there.
# The constraint that moves it is removed in the end, also when this is interrupted; should the machine die, it expires.
require
online=$(look nodes | sed -n 's/.*Online: \[ *\(.*[^ ]\) *\].*/\1/p')
case " $online " in *" $node "*) ;; *) fail "$node is not online (online: ${online:-none})" ;; esac
release() { surely crm_resource --clear --resource "$id" || fail "the constraint that moved $id cannot be removed"; }
trap release EXIT
trap 'exit 1' HUP INT TERM PIPE
end=$(( $(uptime) + seconds ))
release
if [ "$(where)" != "$node" ]; then
  crm_resource --cleanup --resource "$id" --node "$node" >/dev/null 2>&1 || :
  said=$(crm_resource --move --resource "$id" --node "$node" --lifetime PT15M 2>&1) || fail "$(last "$said")"
  while now=$(where); [ "$now" != "$node" ]; do
    ! given_up || broken "$id does not run on $node, but on ${now:-no node}"
    sleep 0.2
  done
fi
release
calm=0
until given_up; do sleep 0.1; done
now=$(where)
[ "$now" = "$node" ] || broken "$id did not stay on $node: it runs on ${now:-no node}"
