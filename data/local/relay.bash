# shellcheck shell=bash
# A way out for one port: machines have no route out of their network, and a Puppet master of the user's is outside.
# systemd-socket-proxyd passes connections on; it comes with systemd itself.  Sourced by `machine`.

relay_proxy=/usr/lib/systemd/systemd-socket-proxyd

# verb_relay CLUSTER PORT HOST: whoever connects to that port of this host's address in the cluster's network is connected to
# the same port of HOST.  One of each cluster.
verb_relay() {
  local cluster=$1 port=$2 host=$3 number address
  [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || wrong_use "'$port' is no port"
  [[ $host =~ ^[A-Za-z0-9.:-]+$ ]] || wrong_use "'$host' is no host"

  lock_for_boot "$cluster" "$(relay_name)"
  cgroup_populated "$(process_cgroup "$cluster" "$(relay_name)")" && return
  process_forget "$cluster" "$(relay_name)"
  number=$(network_number "$cluster") || die "cluster $cluster has no network: run 'machine network $cluster' first"
  address=$(network_prefix "$number").1
  process_start "$cluster" "$(relay_name)" "$RUN/relay.$cluster" \
    systemd-socket-activate "--listen=$address:$port" "$relay_proxy" "$host:$port"
}

# A name that no machine can have, where machines and the relay share what is kept by name.
relay_name() { printf '_relay'; }

# relay_end CLUSTER: under the cluster's lock.
relay_end() {
  process_kill "$1" "$(relay_name)"
  rm -f "$RUN/relay.$1" "$RUN/locks/machine.$1.$(relay_name)"
}
