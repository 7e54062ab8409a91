# shellcheck shell=sh
# Makes this machine a Puppet agent of the cluster: its name, its server, its proof of membership.  As root, at first boot
# or over SSH; idempotent.  It starts no run: the first one is watched.
#   cluster server token   the cluster's name, its master's certname, what proves the membership
#   node                   the node's name; empty: the machine's host name
#   confdir facter         the agent's settings, and those of Facter
#   own                    a folder for certificates and proof, on a host that may use Puppet for other things; or empty
#   own_master             `yes` if the master's server is set up for the cluster alone
mark='# Managed by sirikata-cluster'
conf=$confdir/puppet.conf
[ -n "$node" ] || node=$(uname -n | tr '[:upper:]' '[:lower:]')
certname=${node%%.*}.$cluster

# An agent of another server is not taken over.
[ -e "$conf" ] || : >"$conf"
if ! grep -q "^$mark: until" "$conf"; then
  other=$(sed -n 's/^[[:space:]]*server[[:space:]]*=[[:space:]]*//p' "$conf" | tail -n 1)
  if [ -n "$other" ] && [ "$other" != "$server" ]; then
    fail "the Puppet agent here already uses the server $other ($conf): remove that line to make it an agent of this cluster"
  fi
fi

# Replaces a file if it differs: put MODE FILE <content.
put() {
  mkdir -p "${2%/*}"
  new=$(mktemp "$2.XXXXXX")
  cat >"$new"
  chmod "$1" "$new"
  if cmp -s "$new" "$2" && [ "$(stat -c %a "$2")" = "${1#0}" ]; then rm -f "$new"; else mv -f "$new" "$2"; fi
}

# splay: the daemon runs at once when it starts, which would be a second run right after the one that is watched; so it
# waits for a random part of runinterval.  waitforlock: a run that finds another one going waits for it.
settings="$mark: until the next empty line.
certname = $certname
server = $server
keylength = 2048
runinterval = 30m
splay = true
report = true
usecacheonfailure = false
waitforlock = 2
maxwaitforlock = 5m
"
dropped='certname server keylength runinterval splay report usecacheonfailure waitforlock maxwaitforlock environment
http_keepalive_timeout'
if [ -n "$own" ]; then
  # Right below [agent], which leaves alone what else uses Puppet here: its server may run on this host, with a name and
  # certificates of its own.
  section=agent
  settings="${settings}ssldir = $own/ssl
csr_attributes = $own/csr_attributes.yaml
"
  dropped="$dropped ssldir csr_attributes"
else
  # Right below [main]; the same settings elsewhere, which would have precedence, go; everything else stays.
  section=main
fi
if [ "$own_master" != yes ]; then
  settings="$settings# TLS session tickets of a server with default settings cost the first run 30 s (a keep-alive probe waits on them).
http_keepalive_timeout = 0
"
fi
export mark settings section dropped
awk '
  BEGIN {
    mark = ENVIRON["mark"]; settings = ENVIRON["settings"]; ours_is = ENVIRON["section"]
    for (n = split(ENVIRON["dropped"], keys); n > 0; n--) drop[keys[n]]
  }
  index($0, mark ": until") == 1 { ours = 1 }
  ours { if ($0 == "") ours = 0; next }
  /^[[:space:]]*\[/ { section = $0; gsub(/[][[:space:]]/, "", section) }
  { key = $0; sub(/[[:space:]]*=.*/, "", key); sub(/^[[:space:]]*/, "", key) }
  (section == "agent" || ours_is == "main" && (section == "" || section == "main")) && $0 ~ /=/ && key in drop { next }
  { print }
  section == ours_is && /^[[:space:]]*\[/ && !done { print settings; done = 1 }
  END { if (!done) { print "[" ours_is "]"; print settings } }
' "$conf" | put 0644 "$conf"

# The proof: the server signs a request that carries it (Puppet documentation, "CSR attributes and certificate
# extensions").
put 0600 "${own:-$confdir}/csr_attributes.yaml" <<TOKEN
---
custom_attributes:
  1.2.840.113549.1.9.7: $token
extension_requests:
  pp_cluster: $cluster
TOKEN

# Facts that nothing uses: 1.15 s of each run become 0.4 s, and user-data, which holds the token, does not become a fact.
if [ ! -e "$facter" ] || grep -q "^$mark" "$facter"; then
  put 0644 "$facter" <<'FACTS'
# Managed by sirikata-cluster
facts : {
  blocklist : [ "EC2", "GCE", "augeas", "Xen", "hypervisors", "disks", "file system", "ssh", "load_average" ]
}
FACTS
fi

systemctl --quiet enable puppet.service
