# shellcheck shell=sh
# Puts the file that commit.sh kept as $old back, where the transaction got that far.  May be repeated.
if [ -s "$old" ]; then mv -fT "$old" corosync.conf; elif [ -e "$old" ]; then rm -f corosync.conf "$old"; fi
rm -f "$new"
sync .
