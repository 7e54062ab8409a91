# shellcheck shell=bash
# The network of a cluster: a switch in a network namespace of its own, and a cable from it to this host.
# In the host's namespace, its firewall would filter the traffic between machines (Docker enables that for every bridge of
# the host, and drops it); a new namespace has no firewall.
# Machines have no default route, so clusters cannot reach each other.  Sourced by `machine`.

# network_prefix N: prints the first three octets of /24 network N of 198.18.0.0/15.
network_prefix() { printf '198.%d.%d' $((18 + $1 / 256)) $(($1 % 256)); }

network_switch() { printf 'sirikata-%s' "$1"; }

# network_number CLUSTER: prints its number; fails if it has none.  An allocation is a symbolic link N -> cluster: atomic.
network_number() {
  local number cluster
  while read -r number cluster; do
    if [[ $cluster == "$1" ]]; then
      printf '%s\n' "$number"
      return 0
    fi
  done < <(find "$STATE/networks" -mindepth 1 -maxdepth 1 -type l -printf '%f %l\n' 2>/dev/null)
  return 1
}

# network_taken PREFIX/24: whether this host already has a route to it or to a part of it.  Default routes, even those that
# a VPN splits in two, do not count.
network_taken() {
  {
    ip -4 route show table all to match "$1"
    ip -4 route show table all to root "$1"
  } 2>/dev/null | awk '
    { dest = ($1 ~ /^(unicast|local|broadcast|multicast|anycast|blackhole|unreachable|prohibit|throw)$/) ? $2 : $1 }
    dest == "default" { next }
    { n = split(dest, part, "/"); if (n == 2 && part[2] < 8) next; found = 1 }
    END { exit !found }'
}

# network_allocate CLUSTER: prints its number, a new one if it has none.
network_allocate() {
  local cluster=$1 number
  network_number "$cluster" && return
  lock 7 exclusive "$RUN/locks/networks"
  mkdir -p "$STATE/networks"
  for ((number = 0; number < 512; number++)); do
    if [[ -L $STATE/networks/$number ]] || network_taken "$(network_prefix "$number").0/24"; then continue; fi
    ln -sT "$cluster" "$STATE/networks/$number"
    printf '%s\n' "$number"
    return
  done
  die "all 512 networks of 198.18.0.0/15 are taken"
}

# network_up CLUSTER NUMBER: creates the switch and the host's cable to it, under the cluster's lock.
network_up() {
  local cluster=$1 number=$2 switch cable=skb$2
  switch=$(network_switch "$cluster")
  # The host's end gets its address last: if it has one, the rest is complete.
  if ip -n "$switch" link show dev ports >/dev/null 2>&1 && ip -4 addr show dev "$cable" 2>/dev/null | grep -q " $(network_prefix "$number")\.1/24 "; then return; fi
  network_down "$cluster" "$number"
  ip netns add "$switch"
  ip -n "$switch" link add name ports type bridge stp_state 0 forward_delay 0 mcast_snooping 0
  ip link add "$cable" type veth peer name host netns "$switch"
  ip -n "$switch" link set host master ports
  ip -n "$switch" link set host up
  ip -n "$switch" link set ports up
  ip link set "$cable" up
  ip addr add "$(network_prefix "$number").1/24" dev "$cable"
}

network_down() {
  local cluster=$1 number=$2
  # The link is deleted by name first: with its namespace it would disappear, too, but later.
  if [[ -e /sys/class/net/skb$number ]]; then ip link del "skb$number"; fi
  namespace_del "$(network_switch "$cluster")"
}

# namespace_del NAME: even if `ip netns` left it incomplete.
namespace_del() {
  local file=/run/netns/$1
  [[ -e $file ]] || return 0
  ip netns del "$1" 2>/dev/null || { umount -l "$file" 2>/dev/null || true; rm -f "$file"; }
}

# cable_plug CLUSTER MACHINE ADDRESS: creates a namespace for the machine, and a cable from its eth0 to the switch.
cable_plug() {
  local space="sirikata-$1.$2" switch port="p${3##*.}" mac
  switch=$(network_switch "$1")
  ip netns add "$space"
  # The same hardware address at every boot: its neighbours cache it.
  # shellcheck disable=SC2086  # four octets, four arguments
  mac=$(printf '02:00:%02x:%02x:%02x:%02x' ${3//./ })
  ip -n "$switch" link add "$port" type veth peer name eth0 address "$mac" netns "$space"
  ip -n "$space" link set lo up
  ip -n "$space" addr add "$3/24" dev eth0
  ip -n "$space" link set eth0 up
  ip -n "$switch" link set "$port" master ports
  ip -n "$switch" link set "$port" up
}

# cable_pull CLUSTER MACHINE ADDRESS: removes both ends of its cable, and its namespace.
cable_pull() {
  local switch
  switch=$(network_switch "$1")
  if [[ -n $3 && -e /run/netns/$switch ]]; then ip -n "$switch" link del "p${3##*.}" 2>/dev/null || true; fi
  namespace_del "sirikata-$1.$2"
}

verb_network() {
  local cluster=$1 number
  lock 8 exclusive "$RUN/locks/cluster.$cluster"
  number=$(network_allocate "$cluster")
  network_up "$cluster" "$number"
  printf '%s\t%s.1\n' "$number" "$(network_prefix "$number")"
}

verb_link() {
  local cluster=$1 machine=$2 direction=$3 address
  [[ $direction == up || $direction == down ]] || wrong_use "a link must be 'up' or 'down', got '$direction'"
  lock_machine "$cluster" "$machine"
  address=$(machine_address "$cluster" "$machine")
  [[ -n $address ]] || die "no machine $machine in $cluster"
  ip -n "$(network_switch "$cluster")" link set "p${address##*.}" "$direction" 2>/dev/null || die "$machine is not running, so it has no link"
}
