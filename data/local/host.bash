# shellcheck shell=bash
# What this host must have, asked by trying it, and the packages that bring it.  Sourced by `machine`.

# A command, the package it comes from, and what it is for.
host_commands='
mmdebstrap       mmdebstrap             builds the image of a machine
systemd-nspawn   systemd-container      boots a machine
ip               iproute2               makes the network of a cluster
nsenter          util-linux             enters a machine
flock            util-linux             keeps two calls apart
mountpoint       mount                  finds mounted disks
awk              mawk                   reads what the other commands print
find             findutils              finds the machines of a cluster
ssh              openssh-client         opens a shell on a machine
'

# problem KIND WHAT WHY
problem() { printf '%s\t%s\t%s\n' "$1" "$2" "$3"; }

host_packages() {
  local command package why
  while read -r command package why; do
    if [[ -n $command ]] && ! command -v "$command" >/dev/null; then problem package "$package" "$command $why"; fi
  done <<<"$host_commands"
  if [[ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
    problem package debian-archive-keyring "proves that the packages of the image are Debian's"
  fi
}

host_privileges() {
  if [[ $EUID -ne 0 ]]; then
    problem privilege root "run it as root, or allow this user to run it by 'sudo -n'"
  elif ! unshare --mount --net true 2>/dev/null; then
    problem privilege CAP_SYS_ADMIN "this host is a container that may not make namespaces: run it on a host, or in a container with more privileges"
  else
    return 0
  fi
  return 1
}

# host_watches: the systemd of each machine takes about seven of the inotify instances that all of root's processes share, and
# without one it ends at once and says nothing.  Linux allows 128, which 20 machines use up (inotify(7)); it stays raised.
host_watches() {
  local file=/proc/sys/fs/inotify/max_user_instances
  if (($(<"$file") < 1024)); then echo 1024 2>/dev/null >"$file" || true; fi
}

# host_network: tried in a namespace that is gone with the command.
host_network() {
  unshare --net sh -c 'ip link add name b type bridge' 2>/dev/null || problem kernel bridge "cannot make a bridge: load the module with 'modprobe bridge'"
  unshare --net sh -c 'ip link add v type veth peer name w' 2>/dev/null || problem kernel veth "cannot make a pair of virtual links: load the module with 'modprobe veth'"
  # Named namespaces are bind mounts in /run/netns, so a namespace of mounts is enough to leave nothing behind.
  unshare --mount --net sh -c 'mount -t tmpfs none /run && ip netns add n' 2>/dev/null || problem kernel netns "cannot make a named network namespace"
}

# host_overlay: tried on the file system that the disks of the machines will be on.
host_overlay() {
  local dir=$STATE
  while [[ ! -d $dir ]]; do dir=${dir%/*} dir=${dir:-/}; done
  dir=$(mktemp -d "$dir/.sirikata-check.XXXXXX") || { problem disk "$STATE" "cannot be written"; return; }
  mkdir "$dir"/{lower,upper,work,root}
  # shellcheck disable=SC2016  # for the inner shell
  if ! unshare --mount sh -c 'mount -t overlay -o "lowerdir=$0/lower,upperdir=$0/upper,workdir=$0/work" none "$0/root" && : >"$0/root/file"' "$dir" 2>/dev/null; then
    if grep -qw overlay /proc/filesystems; then
      problem disk "$STATE" "cannot hold an overlay: it is on $(stat -f -c %T "$dir"); put a file system such as ext4 there"
    else
      problem kernel overlay "cannot mount an overlay: load the module with 'modprobe overlay'"
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
    systemd-run --quiet --wait --collect -p Delegate=yes -- true 2>/dev/null || problem privilege systemd-run "systemd does not start a unit for us: see 'journalctl -n 20'"
    # Every cgroup but the root has this file.
    [[ -e $root/system.slice/cgroup.kill ]] || problem kernel cgroup.kill "the kernel is older than 5.14: it cannot kill a machine at once"
    return
  fi
  dir=$root/sirikata-check.$$
  if ! mkdir "$dir" 2>/dev/null; then
    problem privilege cgroup2 "cannot make a cgroup below $root: it must be writable"
    return
  fi
  [[ -e $dir/cgroup.kill ]] || problem kernel cgroup.kill "the kernel is older than 5.14: it cannot kill a machine at once"
  (echo "$BASHPID" >"$dir/cgroup.procs") 2>/dev/null || problem privilege cgroup2 "cannot move a process into a cgroup below $root"
  retry rmdir "$dir" 2>/dev/null || true
}

# host_space SUITE: the image takes about 800 MB and twice that while it is made; a machine writes some dozens.
host_space() {
  local dir need=200 image free
  image=$(image_path "$1")
  [[ -d $image ]] || need=3000
  for dir in "$CACHE" "$STATE"; do
    while [[ ! -d $dir ]]; do dir=${dir%/*} dir=${dir:-/}; done
    free=$(df --output=avail -B1M "$dir" | tail -n 1)
    if ((free < need)); then problem disk "$dir" "has $((free)) MB free; $need MB are needed"; fi
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

# verb_prepare: what apt-get says, as it says it.
verb_prepare() {
  local packages
  mapfile -t packages < <(host_packages | cut -f 2 | sort -u)
  if [[ ${#packages[@]} -eq 0 ]]; then return 0; fi
  export DEBIAN_FRONTEND=noninteractive
  {
    apt-get update && apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=300 "${packages[@]}"
  } </dev/null || die "apt-get could not install ${packages[*]}"
}
