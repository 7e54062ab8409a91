# shellcheck shell=sh
# Exits with 0 where Puppet's server is installed.
command -v puppetserver >/dev/null
