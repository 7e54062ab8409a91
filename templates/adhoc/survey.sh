# shellcheck shell=sh
# What a host is and has; changes nothing.  Standard input: names to look up, a line each, with a TCP port where one is to be
# tried.  Output: `KEY VALUE` lines.
#   home   the folder of a member's records
set +e
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/puppetlabs/bin
export PATH
echo "clock $(date +%s.%N)"
yes_no() { if "$@" >/dev/null 2>&1; then echo yes; else echo no; fi; }
first() { sed -n "s/$1//p" "$2" 2>/dev/null | head -n 1; }
has() { [ "$(dpkg-query -Wf '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

(
  # shellcheck source=/dev/null
  . /etc/os-release 2>/dev/null || :
  printf 'os %s\nrelease %s\nsystem %s\n' "${ID-}" "${VERSION_ID-}" "${PRETTY_NAME-}"
)
echo "systemd $(yes_no test -d /run/systemd/system)"
echo "apt $(yes_no command -v apt-get)"
# With an owner that does not exist dpkg refuses everything; its own audit does not look there.
audit() {
  dpkg --audit 2>&1
  while read -r user group _; do
    case $user in '#'*) ;; *) getent passwd "$user" >/dev/null || echo "unknown user '$user' in /var/lib/dpkg/statoverride" ;; esac
    case $group in '#'*) ;; *) getent group "$group" >/dev/null || echo "unknown group '$group' in /var/lib/dpkg/statoverride" ;; esac
  done </var/lib/dpkg/statoverride
}
echo "dpkg $(audit | head -n 1)"
echo "architecture $(dpkg --print-architecture 2>/dev/null || uname -m)"
echo "hostname $(uname -n)"
if command -v ip >/dev/null; then
  ip -o address show scope global | awk '{ sub("/.*", "", $4); print "address " $4 }'
else
  for address in $(hostname -I); do echo "address $address"; done
fi
echo "free $(df -Pm / | awk 'NR == 2 { print $4 }') $(df -Pm /var | awk 'NR == 2 { print $4 }')"
echo "memory $(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)"

[ ! -s "$home/cluster" ] || echo "member $(head -n 1 "$home/cluster")"
[ ! -s "$home/node" ] || echo "node $(head -n 1 "$home/node")"
echo "joined $(yes_no test -d "$home/before" -a ! -e "$home/leaving")"

conf=/etc/corosync/corosync.conf
echo "corosync $(yes_no has corosync) $(yes_no systemctl --quiet is-active corosync)"
[ ! -e "$conf" ] || echo "cluster $(first '^[[:space:]]*cluster_name:[[:space:]]*' "$conf")"
echo "pacemaker $(yes_no has pacemaker) $(yes_no systemctl --quiet is-active pacemaker)"

# As agent-setup reads it: where the makers' own packages are, their configuration counts.
if [ -x /opt/puppetlabs/bin/puppet ] && [ -d /etc/puppetlabs/puppet ]; then
  conf=/etc/puppetlabs/puppet/puppet.conf
else
  conf=/etc/puppet/puppet.conf
fi
server=$(sed -n 's/^[[:space:]]*server[[:space:]]*=[[:space:]]*//p' "$conf" 2>/dev/null | tail -n 1)
echo "agent $(yes_no command -v puppet) $(yes_no grep -q '^# Managed by sirikata-cluster' "$conf") $conf $server"
made=no up=no
for name in puppetserver puppet-master; do
  if has "$name"; then made=yes; fi
  if systemctl --quiet is-active "$name" 2>/dev/null; then up=yes; fi
done
echo "puppetserver $made $up"

# PROTOCOL PORT STATE: who holds it; without ss, which small systems lack.
holders() {
  cat "/proc/net/$1" "/proc/net/${1}6" 2>/dev/null \
    | awk -v port="$(printf ':%04X' "$2")" -v state="$3" 'substr($2, length($2) - 4) == port && $4 == state { print $10 }' \
    | sort -u | while read -r inode; do
      for descriptor in /proc/[0-9]*/fd/*; do
        if [ "$(readlink "$descriptor" 2>/dev/null)" = "socket:[$inode]" ]; then
          process=${descriptor#/proc/}
          echo "port $1 $2 $(cat "/proc/${process%%/*}/comm")"
          break
        fi
      done
    done | sort -u
}
# Sockets that are not connected: 07; that listen: 0A.
holders udp 5405 07
holders tcp 8140 0A

while read -r name port; do
  [ -n "$name" ] || continue
  echo "name $name" "$(getent ahosts "$name" | awk '!seen[$1]++ { printf "%s%s", sep, $1; sep = " " }')"
  # A refusal is an answer: its server may come later.  Only bash opens connections by itself.
  if [ -n "$port" ] && command -v bash >/dev/null; then
    # shellcheck disable=SC2016  # for bash
    timeout 3 bash -c ': <"/dev/tcp/$0/$1"' "$name" "$port" 2>/dev/null
    if [ $? = 124 ]; then echo "silent $name $port"; fi
  fi
done
exit 0
