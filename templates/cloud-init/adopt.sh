# shellcheck shell=sh
# Makes a machine that was launched otherwise like one that booted with our user-data: the administrator's account, the host
# name, and what runs at first boot.  As root; idempotent.  Standard input: public keys for the account.
#   user   the account
#   name   the node's name
umask 022
if ! id "$user" >/dev/null 2>&1; then
  group=
  if getent group "$user" >/dev/null; then group="--gid $user"; fi
  # shellcheck disable=SC2086  # two words or none
  useradd --create-home --shell /bin/bash $group "$user"
fi
home=$(getent passwd "$user" | cut -d: -f6)
mkdir -p "$home/.ssh"
touch "$home/.ssh/authorized_keys"
while read -r key; do
  grep -qxF "$key" "$home/.ssh/authorized_keys" || printf '%s\n' "$key" >>"$home/.ssh/authorized_keys"
done
chmod 700 "$home/.ssh"
chmod 600 "$home/.ssh/authorized_keys"
chown -R "$user": "$home/.ssh"
if [ "$user" != root ]; then
  rule=/etc/sudoers.d/90-sirikata-cluster
  printf '%s ALL=(ALL) NOPASSWD:ALL\n' "$user" >"$rule.new"
  chmod 440 "$rule.new"
  mv "$rule.new" "$rule"
fi
hostnamectl set-hostname "$name"
if [ -d /etc/cloud/cloud.cfg.d ]; then echo 'preserve_hostname: true' >/etc/cloud/cloud.cfg.d/99_sirikata_hostname.cfg; fi
