# shellcheck shell=sh
# Removes the agent's keys and certificates: its next run requests a new certificate.
systemctl stop puppet
ssldir=$(puppet config print ssldir --section agent)
rm -rf "$ssldir"
