# shellcheck shell=sh
# Prints how a server that may serve others too is set up, before anything is changed there.
#   cluster environment   the cluster's name, its environment
#   before                the packages of a host of the cluster before it joined
settings=$(puppet config print --section server \
  confdir certname node_terminus external_nodes autosign fileserverconfig environmentpath)
printf '%s\n' "$settings"
# On a host of the cluster that had no server before.
if [ -e "$before" ] && ! grep -q '^puppetserver ' "$before"; then echo 'made_here = yes'; fi
setting() { printf '%s\n' "$settings" | sed -n "s/^$1 = //p"; }
show() { if [ -e "$2" ]; then printf 'file %s %s\n' "$1" "$(base64 -w0 <"$2")"; fi; }
confdir=$(setting confdir)
environments=$(setting environmentpath)
show puppet.conf "$confdir/puppet.conf"
show fileserver.conf "$(setting fileserverconfig)"
show cluster "$confdir/clusters/$cluster/cluster"
show environment.conf "${environments%%:*}/$environment/environment.conf"
autosign=$(setting autosign)
if [ -f "$autosign" ] && ! [ -x "$autosign" ]; then show autosign "$autosign"; fi
