# shellcheck shell=sh
# Tells the cluster to stop the services $ids, and waits for nothing; those that it does not have are left out.
for id in $ids; do
  ! exists || set_role Stopped
done
