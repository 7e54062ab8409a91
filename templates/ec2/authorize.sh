# shellcheck shell=sh
# Lets the key on standard input log in to the account that runs this.
umask 077
mkdir -p ~/.ssh
read -r key
grep -qxF "$key" ~/.ssh/authorized_keys 2>/dev/null || printf '%s\n' "$key" >>~/.ssh/authorized_keys
