# shellcheck shell=sh
# Forgets certificates and requests; names that the authority does not know are no failure.
#   names   certnames, with commas between them
mark='# Managed by sirikata-cluster'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A client that keeps its connection waits for 30 s between requests if a session ticket of TLS 1.3 arrives late.  TLS 1.2
# does not help: a server that is set to send no tickets promises one there nevertheless.
cat >"$work/client.rb" <<'END'
require 'net/http'
Net::HTTP.prepend(Module.new do
  def initialize(*)
    super
    self.keep_alive_timeout = 0
  end
end)
END
# A server that was never given its name is looked up as `puppet`, a name that need not exist here.  The settings of a
# cluster's agent on the same host, with certificates of its own, are not for this client.
conf=/etc/puppetlabs/puppet/puppet.conf
[ -e "$conf" ] || conf=/etc/puppet/puppet.conf
awk -v mark="$mark: until" 'index($0, mark) == 1 { ours = 1 } !ours { print } $0 == "" { ours = 0 }' "$conf" \
  >"$work/puppet.conf"
conf=$work/puppet.conf
if ! grep -qE '^[[:space:]]*(ca_)?server[[:space:]]*=' "$conf"; then
  printf '\n[agent]\nserver = %s\n' "$(puppet config print certname --section server)" >>"$conf"
fi
# It exits 1 for a name that it does not know, and forgets the others nevertheless.
words=$(RUBYOPT="-r$work/client.rb" puppetserver ca clean --config "$conf" --certname "$names" 2>&1) && exit 0
if printf '%s\n' "$words" | grep -vE 'Could not find|has been revoked|Cleaned files|^Error:$|^$' >&2; then exit 1; fi
