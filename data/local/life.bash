# shellcheck shell=bash disable=SC2153  # STATE is set by `machine`
# The life of a machine: created, booted, powered off, removed.  Its directory holds `address`, `image`, `upper` (what it has
# written), `work`, `console`, and `created`, which is written last: without it, the machine is incomplete.  `layer`, for tests
# only, names a directory above the image: SIRIKATA_LOCAL_LAYER when the machine was created.  Sourced by `machine`.

machine_dir() { printf '%s/clusters/%s/%s' "$STATE" "$1" "$2"; }

machine_root() { printf '%s/root/%s/%s' "$RUN" "$1" "$2"; }

machine_created() { [[ -e $(machine_dir "$1" "$2")/created ]]; }

# machine_address CLUSTER MACHINE: prints its address, if it has one.
machine_address() { cat "$(machine_dir "$1" "$2")/address" 2>/dev/null || true; }

# machine_names CLUSTER: prints the names of its machines, one on each line.
machine_names() { find "$STATE/clusters/$1" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' 2>/dev/null | sort -V; }

# machine_image SUITE: prints the image for a new machine.
machine_image() {
  local image
  image=$(image_path "$1")
  [[ -d $image ]] || die "no image of $1 yet: run 'machine image $1' first"
  printf '%s\n' "$image"
}

# machine_create CLUSTER MACHINE ADDRESS SUITE: creates its disk, with the user-data from stdin.
machine_create() {
  local cluster=$1 machine=$2 address=$3 dir seed image
  dir=$(machine_dir "$cluster" "$machine")
  seed=$dir/upper/var/lib/cloud/seed/nocloud
  machine_delete_disk "$cluster" "$machine"
  mkdir -p "$dir/work" "$seed" "$dir/upper/etc"
  printf '%s\n' "$address" >"$dir/address"
  # Under the lock, so that the image is not expired between being chosen and being recorded.
  lock 7 shared "$RUN/locks/image.$4"
  image=$(machine_image "$4")
  printf '%s\n' "$image" >"$dir/image"
  exec 7>&-
  if [[ -n ${SIRIKATA_LOCAL_LAYER-} ]]; then printf '%s\n' "$SIRIKATA_LOCAL_LAYER" >"$dir/layer"; fi
  (umask 077 && cat >"$seed/user-data")
  printf 'instance-id: %s-%s-%s\nlocal-hostname: %s\n' "$cluster" "$machine" "$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')" "$machine" >"$seed/meta-data"
  printf '%s\n' "$machine" >"$dir/upper/etc/hostname"
  { cat "$image/etc/hosts" && printf '%s %s\n' "$address" "$machine"; } >"$dir/upper/etc/hosts"
  : >"$dir/created"
}

# machine_delete_disk CLUSTER MACHINE: even if files on it were made immutable.
machine_delete_disk() {
  local dir
  dir=$(machine_dir "$1" "$2")
  [[ -e $dir ]] || return 0
  rm -f "$dir/created"
  rm -rf --one-file-system "$dir" 2>/dev/null && return
  chattr -R -f -i -a "$dir" 2>/dev/null || true
  rm -rf --one-file-system "$dir"
}

# machine_release CLUSTER MACHINE: ends what is left of a run of it: processes, cable, mounts.  May be repeated.
machine_release() {
  local root address switch
  root=$(machine_root "$1" "$2")
  address=$(machine_address "$1" "$2")
  switch=$(network_switch "$1")
  # The cable first: a machine without power does not take leave of its peers.
  if [[ -n $address && -e /run/netns/$switch ]]; then ip -n "$switch" link set "p${address##*.}" down 2>/dev/null || true; fi
  process_kill "$1" "$2"
  cable_pull "$1" "$2" "$address"
  while mountpoint -q "$root" 2>/dev/null; do
    rm -f "/run/systemd/nspawn/locks/inode-$(stat -c %d:%i "$root")"
    retry umount "$root"
  done
  machine_forget_nspawn "$(machine_host "$1" "$2")"
  rm -f "${root%/*}/.#$2.lck"
}

# machine_forget_nspawn HOST: removes what a killed nspawn leaves in /run/systemd.  Newer versions keep a mount there for
# each machine, and do not start the machine again while it exists.
machine_forget_nspawn() {
  local dir=/run/systemd/nspawn/unix-export/$1
  while mountpoint -q "$dir" 2>/dev/null; do retry umount -l "$dir"; done
  rmdir "$dir" "/run/systemd/nspawn/propagate/$1" 2>/dev/null || true
}

# machine_host CLUSTER MACHINE: prints its name for nspawn: a host name of at most 64 characters, unique on this host.
machine_host() {
  local number
  number=$(network_number "$1") || number=x
  printf 'sirikata%s-%s' "$number" "$2"
}

# machine_start CLUSTER MACHINE: boots it from its disk and prints its process 1.
machine_start() {
  local cluster=$1 machine=$2 dir root image lower leader try
  dir=$(machine_dir "$cluster" "$machine")
  root=$(machine_root "$cluster" "$machine")
  image=$(<"$dir/image")
  [[ -d $image ]] || die "the image of $machine no longer exists ($image): remove the machine"
  lower=$image
  if [[ -s $dir/layer ]]; then lower=$(<"$dir/layer"):$lower; fi
  mkdir -p "$root"
  host_watches
  retry mount -t overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" sirikata "$root"
  cable_plug "$cluster" "$machine" "$(machine_address "$cluster" "$machine")"
  process_start "$cluster" "$machine" "$dir/console" systemd-nspawn --register=no --keep-unit --settings=no --directory="$root" \
    --machine="$(machine_host "$cluster" "$machine")" --hostname="$machine" --network-namespace-path="/run/netns/sirikata-$cluster.$machine" \
    --boot --console=pipe --link-journal=no --resolv-conf=off --timezone=off --capability=CAP_NET_ADMIN
  for ((try = 0; try < 500; try++)); do
    if leader=$(cgroup_leader "$(process_cgroup "$cluster" "$machine")"); then
      printf '%s\n' "$leader"
      return
    fi
    # The first process takes a moment; a cgroup that is empty after that means that the start failed.
    if ((try > 50)) && ! cgroup_populated "$(process_cgroup "$cluster" "$machine")"; then break; fi
    sleep 0.02
  done
  tail -n 5 "$dir/console" >&2
  machine_release "$cluster" "$machine"
  die "machine $machine of $cluster did not start"
}

# machine_bring_up CLUSTER MACHINE: boots it unless it runs, under its lock: the end of `boot`, `on` and `reboot`.
machine_bring_up() {
  local leader
  if leader=$(process_leader "$1" "$2"); then
    printf 'running\t%s\n' "$leader"
    return
  fi
  machine_release "$1" "$2"
  leader=$(machine_start "$1" "$2")
  printf 'booted\t%s\n' "$leader"
}

# lock_for_boot CLUSTER MACHINE: takes the machine's lock, and makes sure of its network, which a reboot of the host removes.
lock_for_boot() {
  local number
  lock 8 exclusive "$RUN/locks/cluster.$1"
  number=$(network_number "$1") || die "cluster $1 has no network: run 'machine network $1' first"
  network_up "$1" "$number"
  exec 8>&-
  lock_machine "$1" "$2"
  # A purge may have come between the two locks.
  if [[ $(network_number "$1") != "$number" || ! -e /run/netns/$(network_switch "$1") ]]; then die "cluster $1 has just been purged"; fi
}

# address_free CLUSTER MACHINE ADDRESS: fails unless the address is in the cluster's network and not another machine's.
address_free() {
  local number other
  number=$(network_number "$1") || die "cluster $1 has no network: run 'machine network $1' first"
  if [[ ! $3 =~ ^[0-9.]+\.([1-9][0-9]{0,2})$ || ${3%.*} != "$(network_prefix "$number")" ]] || ((BASH_REMATCH[1] < 2 || BASH_REMATCH[1] > 254)); then
    wrong_use "a machine's address must be in $(network_prefix "$number").2 to .254, got '$3'"
  fi
  for other in $(machine_names "$1"); do
    if [[ $other != "$2" && $(machine_address "$1" "$other") == "$3" ]]; then die "$3 is already the address of machine $other"; fi
  done
}

verb_boot() {
  local cluster=$1 machine=$2 address=$3 known
  valid_suite "$4"
  address_free "$cluster" "$machine" "$address"
  lock_for_boot "$cluster" "$machine"
  if machine_created "$cluster" "$machine"; then
    known=$(machine_address "$cluster" "$machine")
    [[ $known == "$address" ]] || die "machine $machine has address $known, not $address: remove it first"
  else
    machine_release "$cluster" "$machine"
    machine_create "$cluster" "$machine" "$address" "$4"
  fi
  machine_bring_up "$cluster" "$machine"
}

verb_on() {
  lock_for_boot "$1" "$2"
  machine_created "$1" "$2" || die "no machine $2 in $1"
  machine_bring_up "$1" "$2"
}

verb_off() {
  lock_machine "$1" "$2"
  machine_created "$1" "$2" || die "no machine $2 in $1"
  machine_release "$1" "$2"
}

verb_reboot() {
  verb_off "$1" "$2"
  exec 8>&- 9>&-
  verb_on "$1" "$2"
}

verb_list() {
  local machine state leader
  for machine in $(machine_names "$1"); do
    leader=-
    if ! machine_created "$1" "$machine"; then
      state=broken
    elif leader=$(process_leader "$1" "$machine"); then
      state=running
    else
      state=stopped leader=-
    fi
    printf '%s\t%s\t%s\t%s\n' "$machine" "$(machine_address "$1" "$machine")" "$state" "$leader"
  done
}

verb_clusters() {
  local number cluster
  while read -r number cluster; do
    printf '%s\t%s\t%s\n' "$cluster" "$number" "$(machine_names "$cluster" | wc -l)"
  done < <(find "$STATE/networks" -mindepth 1 -maxdepth 1 -type l -printf '%f %l\n' 2>/dev/null | sort -n)
}

verb_console() { tail -n 40 "$(machine_dir "$1" "$2")/console" 2>/dev/null || die "the console of machine $2 of $1 is empty"; }

# machine_remove CLUSTER MACHINE: removes it with its disk, under its lock.
machine_remove() {
  machine_release "$1" "$2"
  machine_delete_disk "$1" "$2"
  rmdir "$(machine_root "$1" "$2")" 2>/dev/null || true
  rm -f "$RUN/locks/machine.$1.$2"
}

verb_remove() {
  lock_machine "$1" "$2"
  machine_remove "$1" "$2"
}

verb_purge() {
  local cluster=$1 machine number
  # Exclusive: what works on one of its machines holds this lock shared.
  lock 8 exclusive "$RUN/locks/cluster.$cluster"
  for machine in $(machine_names "$cluster"); do machine_remove "$cluster" "$machine"; done
  relay_end "$cluster"
  if number=$(network_number "$cluster"); then
    network_down "$cluster" "$number"
    rmdir "$STATE/clusters/$cluster" 2>/dev/null || true
    rm -f "$STATE/networks/$number"
  fi
  rmdir "$RUN/root/$cluster" 2>/dev/null || true
  process_forget_cluster "$cluster"
  rm -f "$RUN/locks/machine.$cluster".* "$RUN/locks/cluster.$cluster"
}
