# shellcheck shell=sh
# Runs its first argument, and stays, like root.sh.
sh -c "$0";
exit $?;
