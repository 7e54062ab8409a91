# shellcheck shell=sh
# Makes the names of a cluster's machines known on one of them.  Standard input: lines for /etc/hosts.
# In images of clouds, cloud-init writes /etc/hosts anew at each boot.
if [ -d /etc/cloud/cloud.cfg.d ]; then echo 'manage_etc_hosts: false' >/etc/cloud/cloud.cfg.d/99_sirikata_hosts.cfg; fi
replace_hosts
