# shellcheck shell=sh
# Records the state of a host, as the second part of join.sh.
: >"$before.new/absent"
[ -e /opt/puppetlabs ] || echo /opt/puppetlabs >"$before.new/absent"
(
  cd "$before.new" || exit
  # shellcheck disable=SC2016  # for dpkg
  dpkg-query -Wf '${binary:Package} ${db:Status-Want} ${db:Status-Status} ${Version}\n' >packages
  apt-mark showmanual >manual
  cut -d: -f1 /etc/passwd >users
  cut -d: -f1 /etc/group >groups
  for unit in $units; do
    echo "$unit $(systemctl is-enabled "$unit.service" 2>/dev/null || :) $(systemctl is-active "$unit.service" || :)"
  done >units
  present >present
  find /var/cache/apt/archives -maxdepth 1 -name '*.deb' >archives 2>/dev/null || :
  # Sockets cannot be copied.
  sed 's|^/||' present | tar -C / --create --file copies.tar --acls --xattrs --xattrs-include='*' --numeric-owner \
    --no-wildcards --files-from - --warning=no-file-ignored --warning=no-file-changed || [ $? = 1 ] # what an agent wrote meanwhile
  for file in hosts passwd- group- shadow- gshadow- passwd group shadow gshadow; do
    [ ! -e "/etc/$file" ] || cp -a "/etc/$file" "$file.copy"
  done
  for file in statoverride statoverride-old; do
    [ ! -e "/var/lib/dpkg/$file" ] || cp -a "/var/lib/dpkg/$file" "$file.copy"
  done
)
sync "$before.new"/*
mv -T "$before.new" "$before"
printf '%s' "$program" | put 0700 "$home/take-off"
printf '%s\n' "$node" | put 0644 "$home/node"
printf '%s\n' "$cluster" | put 0644 "$home/cluster"
sync "$home"
echo joined
