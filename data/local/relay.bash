# shellcheck shell=bash
# A way out for one port: machines have no route out of their network, but a Puppet master on a host of the user's is outside.
# systemd's own systemd-socket-proxyd relays the connections.  Sourced by `machine`.

relay_proxy=/usr/lib/systemd/systemd-socket-proxyd

# verb_relay CLUSTER PORT HOST: relays that port of this host's address in the cluster's network to the same port of HOST.
# A cluster has at most one relay.
verb_relay() {
  local cluster=$1 port=$2 host=$3 number address
  [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || wrong_use "the port must be 1 to 65535, got '$port'"
  [[ $host =~ ^[A-Za-z0-9.:-]+$ ]] || wrong_use "not a host: '$host'"

  lock_for_boot "$cluster" "$(relay_name)"
  cgroup_populated "$(process_cgroup "$cluster" "$(relay_name)")" && return
  process_forget "$cluster" "$(relay_name)"
  number=$(network_number "$cluster") || die "cluster $cluster has no network: run 'machine network $cluster' first"
  address=$(network_prefix "$number").1
  process_start "$cluster" "$(relay_name)" "$RUN/relay.$cluster" \
    systemd-socket-activate "--listen=$address:$port" "$relay_proxy" "$host:$port"
}

# A name that no machine can have, for what machines and the relay keep by name.
relay_name() { printf '_relay'; }

# relay_end CLUSTER: ends its relay, under the cluster's lock.
relay_end() {
  process_kill "$1" "$(relay_name)"
  rm -f "$RUN/relay.$1" "$RUN/locks/machine.$1.$(relay_name)"
}
