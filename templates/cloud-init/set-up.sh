# shellcheck shell=sh
# What runs at first boot.  First contact runs it again if it was interrupted, or failed.
cd /var/lib/sirikata-cluster || exit
if [ -e take-name ]; then sh ./take-name; fi
sh ./puppet-setup
touch set-up.done
