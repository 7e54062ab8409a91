# shellcheck shell=sh
# Has every corosync of the cluster read its file again; fails when the corosync of this node refuses.
# The exit status of corosync-cfgtool is not enough: 3.1.9 exits with 0 where a reload failed, and only omits "Done".
[ "$(unit_state corosync)" = active ] || fail 'corosync does not run here'
code=0
since=$(date +%s)
said=$(corosync-cfgtool -R 2>&1) || code=$?
case $code,$said in 0,*Done*) exit 0;; esac
why=$(complaint) || :
fail "corosync refuses to reload: ${why:-$(printf '%s\n' "$said" | tail -n 1)}"
