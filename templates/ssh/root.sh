# shellcheck shell=sh
# Runs its first argument as root, from whichever account; one line, like run.sh.
if [ "$(id -u)" = 0 ]; then exec sh -c "$0"; else exec sudo -n sh -c "$0"; fi;
