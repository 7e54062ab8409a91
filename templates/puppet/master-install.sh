# shellcheck shell=sh
# Installs Puppet's server unless there is one.  Its unit is masked meanwhile: the package would start it with settings that
# are not the cluster's.
if ! command -v puppetserver >/dev/null; then
  systemctl --quiet mask --runtime puppetserver.service
  install_packages puppetserver >&2 || failed=yes
  systemctl --quiet unmask --runtime puppetserver.service
  if [ -n "${failed-}" ]; then
    apt-cache show puppetserver >/dev/null 2>&1 || fail 'Puppet Server is packaged from Debian 12 and Ubuntu 24.04 on'
    exit 1
  fi
fi
