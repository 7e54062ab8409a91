# shellcheck shell=sh
# First contact with a machine, as often as it takes: waits for cloud-init, writes /etc/hosts, makes the machine's own host
# key.  Standard input: lines for /etc/hosts.  Output: the public key.
#   looks        how often to look whether cloud-init has finished
#   interval     seconds between two looks
#   imported     not empty: the machine never read our user-data
#   begin, end   the lines around public keys where cloud-init shows them
until [ "$imported" ] || [ -e /run/cloud-init/result.json ]; do
  looks=$((looks - 1))
  [ "$looks" -gt 0 ] || fail 'cloud-init did not finish'
  sleep "$interval"
done
log=/var/log/cloud-init-output.log set_up=/var/lib/sirikata-cluster/set-up failed=
# Of cloud-init's errors only a failed set-up can be repaired here: a mirror may respond now that did not at first boot.
if [ -e "$set_up" ]; then
  [ -e "$set_up.done" ] || sh "$set_up" >>"$log" 2>&1 </dev/null || failed=yes
elif [ ! "$imported" ] && ! grep -q '"errors": \[\]' /run/cloud-init/result.json; then
  failed=yes
fi
[ ! "$failed" ] || fail "cloud-init failed:
$(tail -n 4 "$log")"
replace_hosts
key=/etc/ssh/ssh_host_ed25519_key
if [ ! -s "$key.pub" ]; then
  rm -f "$key"
  ssh-keygen -q -t ed25519 -N '' -C "$(hostname)" -f "$key"
  sync
fi
# Shown where cloud-init shows keys, in its log where there is no console: a user who has lost known_hosts reads it through
# EC2.
show() {
  echo "$begin"
  cut -d' ' -f1,2 "$key.pub"
  echo "$end"
}
if [ -c /dev/console ]; then show >/dev/console || :; else show >>"$log"; fi
cut -d' ' -f1,2 "$key.pub"
