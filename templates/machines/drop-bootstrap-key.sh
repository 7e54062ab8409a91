# shellcheck shell=sh
# Removes the host key that was in the user-data.  Reloading keeps the connections that are open.
rm -f /etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_ecdsa_key.pub
systemctl reload-or-restart ssh
