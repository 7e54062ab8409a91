# shellcheck shell=sh
# Installs a Puppet agent unless there is one, as root; idempotent.
# The first of these packages that apt offers.  Its unit is masked meanwhile: the package would start it with its own
# settings.
if ! command -v puppet >/dev/null; then
  systemctl --quiet mask --runtime puppet.service 2>/dev/null || true
  install_packages 'openvox-agent|puppet-agent|puppet' || true
  systemctl --quiet unmask --runtime puppet.service 2>/dev/null || true
  # Older packages of Debian and Ubuntu disable the agent.
  rm -f /var/lib/puppet/state/agent_disabled.lock /var/cache/puppet/state/agent_disabled.lock
  command -v puppet >/dev/null || fail 'there is no Puppet agent, and none could be installed'
fi
