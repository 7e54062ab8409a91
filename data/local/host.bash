# shellcheck shell=bash
# What this host must have, checked by trying it, and the packages that provide it.  Sourced by `machine`.

# A command, its package, and what it is needed for.
host_commands='
mmdebstrap       mmdebstrap             builds the image of a machine
systemd-nspawn   systemd-container      boots a machine
ip               iproute2               makes the network of a cluster
nsenter          util-linux             enters a machine
flock            util-linux             locks clusters and machines
mountpoint       mount                  finds mounted disks
awk              mawk                   parses the output of other commands
find             findutils              finds the machines of a cluster
ssh              openssh-client         opens a shell on a machine
'

# problem KIND WHAT WHY: prints a line of `machine check`.
problem() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }

host_packages() {
  local command package why
  while read -r command package why; do
    if [[ -n $command ]] && ! command -v "$command" >/dev/null; then problem package "$package" "$command $why"; fi
  done <<<"$host_commands"
  if [[ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
    problem package debian-archive-keyring "verifies that the packages of the image are Debian's"
  fi
}

host_privileges() {
  if [[ $EUID -ne 0 ]]; then
    problem privilege root "run this as root, or let this user run it by 'sudo -n'"
  elif ! unshare --mount --net true 2>/dev/null; then
    problem privilege CAP_SYS_ADMIN "this container may not create namespaces: run this on a host, or in a container with more privileges"
  else
    return 0
  fi
  return 1
}

# host_watches: raises the number of inotify instances for good.  All processes of root share them, and the systemd of a
# machine needs about seven: without one it ends at once, with no message.  Linux's 128 (inotify(7)) serve 20 machines.
host_watches() {
  local file=/proc/sys/fs/inotify/max_user_instances
  if (($(<"$file") < 1024)); then echo 1024 2>/dev/null >"$file" || true; fi
}

# host_network: tried in a namespace that ends with the command.
host_network() {
  unshare --net sh -c 'ip link add name b type bridge' 2>/dev/null || problem kernel bridge "cannot create a bridge: load its module with 'modprobe bridge'"
  unshare --net sh -c 'ip link add v type veth peer name w' 2>/dev/null || problem kernel veth "cannot create a pair of virtual links: load their module with 'modprobe veth'"
  # Named namespaces are bind mounts in /run/netns, so in a mount namespace nothing is left behind.
  unshare --mount --net sh -c 'mount -t tmpfs none /run && ip netns add n' 2>/dev/null || problem kernel netns "cannot create a named network namespace"
}

# host_overlay: tried on the file system of the machines' disks.
host_overlay() {
  local dir=$STATE
  while [[ ! -d $dir ]]; do dir=${dir%/*} dir=${dir:-/}; done
  dir=$(mktemp -d "$dir/.sirikata-check.XXXXXX") || { problem disk "$STATE" "cannot be written"; return; }
  mkdir "$dir"/{lower,upper,work,root}
  # shellcheck disable=SC2016  # for the inner shell
  if ! unshare --mount sh -c 'mount -t overlay -o "lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" none "$0/root" && : >"$0/root/file"' "$dir" 2>/dev/null; then
    if grep -qw overlay /proc/filesystems; then
      problem disk "$STATE" "cannot hold an overlay: its file system is $(stat -f -c %T "$dir"); mount one such as ext4 there"
    else
      problem kernel overlay "cannot mount an overlay: load its module with 'modprobe overlay'"
    fi
  fi
  rm -rf --one-file-system "$dir"
}

host_cgroup() {
  local root dir
  if ! root=$(cgroup_root); then
    problem kernel cgroup2 "there is no unified cgroup hierarchy: boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2 on /sys/fs/cgroup/unified"
    return
  fi
  if process_systemd; then
    systemd-run --quiet --wait --collect -p Delegate=yes -- true 2>/dev/null || problem privilege systemd-run "systemd cannot start a transient unit: see 'journalctl -n 20'"
    # The root cgroup lacks this file.
    [[ -e $root/system.slice/cgroup.kill ]] || problem kernel cgroup.kill "the kernel cannot kill a machine at once: use Linux 5.14 or later"
    return
  fi
  dir=$root/sirikata-check.$$
  if ! mkdir "$dir" 2>/dev/null; then
    problem privilege cgroup2 "cannot create a cgroup below $root: make it writable"
    return
  fi
  [[ -e $dir/cgroup.kill ]] || problem kernel cgroup.kill "the kernel cannot kill a machine at once: use Linux 5.14 or later"
  (echo "$BASHPID" >"$dir/cgroup.procs") 2>/dev/null || problem privilege cgroup2 "cannot move a process into a cgroup below $root"
  retry rmdir "$dir" 2>/dev/null || true
}

# host_space SUITE: an image takes about 800 MB, and up to 3000 MB while it is built; a machine writes some dozens.
host_space() {
  local dir need=200 image free
  image=$(image_path "$1")
  [[ -d $image ]] || need=3000
  for dir in "$CACHE" "$STATE"; do
    while [[ ! -d $dir ]]; do dir=${dir%/*} dir=${dir:-/}; done
    free=$(df --output=avail -B1M "$dir" | tail -n 1)
    if ((free < need)); then problem disk "$dir" "has $((free)) MB free, needs $need MB: free some space there"; fi
    need=200
  done
}

verb_check() {
  local suite=${1:-trixie}
  valid_suite "$suite"
  host_packages
  host_space "$suite"
  host_privileges || return 0
  if command -v ip >/dev/null; then host_network; fi
  host_overlay
  host_cgroup
}

# verb_prepare: prints what apt-get prints.
verb_prepare() {
  local packages
  mapfile -t packages < <(host_packages | cut -f 2 | sort -u)
  if [[ ${#packages[@]} -eq 0 ]]; then return 0; fi
  export DEBIAN_FRONTEND=noninteractive
  {
    apt-get update && apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "${packages[@]}"
  } </dev/null || die "apt-get could not install ${packages[*]}"
}
