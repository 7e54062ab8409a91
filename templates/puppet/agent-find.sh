# shellcheck shell=sh
# Where the agent keeps its settings: sets `confdir` and `facter`.
# Debian's packages use /etc/puppet, the vendor's own /etc/puppetlabs; starting Ruby to ask takes a second.
if [ -x /opt/puppetlabs/bin/puppet ] && [ -d /etc/puppetlabs/puppet ]; then
  confdir=/etc/puppetlabs/puppet facter=/etc/puppetlabs/facter/facter.conf
elif [ -d /etc/puppet ]; then
  confdir=/etc/puppet facter=/etc/facter/facter.conf
else
  confdir=$(puppet config print confdir) facter=/etc/puppetlabs/facter/facter.conf
fi
