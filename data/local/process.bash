# shellcheck shell=bash
# A machine as processes.  All of them live in one cgroup whose path follows from the machine's name, so the kernel can be
# asked what runs, and can be told to kill it, without trusting a process id that was written down earlier.
# Where systemd is process 1 the cgroup is that of a transient unit; elsewhere we make it.  Sourced by `machine`.

process_systemd() { [[ -d /run/systemd/system ]]; }

process_unit() { printf 'sirikata-%s.%s.service' "$1" "$2"; }

# cgroup_root: where the unified hierarchy is mounted, alone or beside the old ones.
cgroup_root() {
  local dir
  for dir in /sys/fs/cgroup /sys/fs/cgroup/unified; do
    if [[ -e $dir/cgroup.procs && -e $dir/cgroup.controllers ]]; then
      printf '%s' "$dir"
      return 0
    fi
  done
  return 1
}

# process_cgroup CLUSTER MACHINE: the directory of its cgroup, which is there while it runs.
process_cgroup() {
  if process_systemd; then
    printf '%s/system.slice/%s' "$(cgroup_root)" "$(process_unit "$1" "$2")"
  else
    printf '%s/sirikata-cluster/%s/%s' "$(cgroup_root)" "$1" "$2"
  fi
}

cgroup_populated() { grep -qsx 'populated 1' "$1/cgroup.events"; }

# cgroup_leader CGROUP: the machine's process 1 as this host numbers it; fails if there is none.
cgroup_leader() {
  local file pid
  # systemd soon moves itself to init.scope; before that the leader is wherever nspawn put it.
  for file in "$1/payload/init.scope/cgroup.procs" $(find "$1" -name cgroup.procs 2>/dev/null); do
    while read -r pid; do
      # Process 1 of a namespace one level down.  Deeper ones belong to containers that the machine runs itself.
      if [[ $(sed -n 's/^NSpid:\t//p' "/proc/$pid/status" 2>/dev/null) == "$pid"$'\t1' ]]; then
        printf '%s' "$pid"
        return 0
      fi
    done < <(cat "$file" 2>/dev/null)
  done
  return 1
}

# process_leader CLUSTER MACHINE: its process 1; waits while the machine is between two, as when it reboots.
process_leader() {
  local cgroup try
  cgroup=$(process_cgroup "$1" "$2")
  for ((try = 0; try < 100; try++)); do
    cgroup_leader "$cgroup" && return
    cgroup_populated "$cgroup" || return 1
    sleep 0.02
  done
  return 1
}

# process_start CLUSTER MACHINE CONSOLE COMMAND...: runs the command apart from us, and again whenever it ends with 133, which
# is how nspawn says that the machine wants to reboot.
process_start() {
  local cluster=$1 machine=$2 console=$3 cgroup
  shift 3
  : >"$console"
  if process_systemd; then
    # KillMode=mixed, so that a shutdown of the host is a shutdown of the machine.
    systemd-run --quiet --collect --unit="$(process_unit "$cluster" "$machine")" --description="machine $machine of cluster $cluster" \
      -p Delegate=yes -p KillMode=mixed -p TimeoutStopSec=15 -p TasksMax=16384 -p RestartForceExitStatus=133 -p SuccessExitStatus=133 \
      -p RestartSec=0 -p StartLimitIntervalSec=0 -p StandardInput=null -p StandardOutput="append:$console" -p StandardError="append:$console" \
      -E SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 -- "$@" </dev/null >&2
    return
  fi
  cgroup=$(process_cgroup "$cluster" "$machine")
  mkdir -p "$cgroup"
  # Our locks must not live on in the machine.
  # shellcheck disable=SC2016  # for the inner shell
  env -i PATH="$PATH" SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setsid --fork bash -c '
    echo $$ >"$0/cgroup.procs" || exit
    trap "" HUP
    while "$@"; [[ $? -eq 133 ]]; do :; done' "$cgroup" "$@" </dev/null >>"$console" 2>&1 7>&- 8>&- 9>&-
}

# process_kill CLUSTER MACHINE: everything at once, as when the power goes; returns when nothing is left.
process_kill() {
  local cgroup try
  cgroup=$(process_cgroup "$1" "$2")
  if [[ -e $cgroup/cgroup.kill ]]; then echo 1 2>/dev/null >"$cgroup/cgroup.kill" || true; fi
  for ((try = 0; try < 250; try++)); do
    cgroup_populated "$cgroup" || break
    sleep 0.02
  done
  if cgroup_populated "$cgroup"; then die "some processes of $2 do not die: see $cgroup"; fi
  process_forget "$1" "$2"
}

# process_forget CLUSTER MACHINE: what the dead leave behind.  The cgroup must go, not only become empty: systemd clones processes
# straight into a unit's cgroup, and some kernels kill what is cloned into one that was killed before.
process_forget() {
  local dir
  if process_systemd; then
    systemctl --quiet stop "$(process_unit "$1" "$2")" 2>/dev/null || true
    systemctl --quiet reset-failed "$(process_unit "$1" "$2")" 2>/dev/null || true
  fi
  # Beside the old hierarchies, nspawn makes the same directories in systemd's own one too.
  for dir in "$(process_cgroup "$1" "$2")" "/sys/fs/cgroup/systemd/sirikata-cluster/$1/$2"; do
    if [[ -d $dir ]]; then retry cgroup_remove "$dir"; fi
  done
}

# cgroup_remove DIRECTORY: with all below it.  systemd may be removing it too.
cgroup_remove() {
  find "$1" -depth -type d -exec rmdir {} + || [[ ! -d $1 ]]
}

# process_forget_cluster CLUSTER: the directories above those of its machines.
process_forget_cluster() {
  local dir
  process_systemd && return
  for dir in "$(cgroup_root)" /sys/fs/cgroup/systemd; do
    rmdir "$dir/sirikata-cluster/$1" "$dir/sirikata-cluster" 2>/dev/null || true
  done
}

verb_exec() {
  local leader
  leader=$(process_leader "$1" "$2") || die "machine $2 of $1 is not running"
  shift 2
  exec nsenter --target "$leader" --all -- env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM="${TERM:-dumb}" \
    LANG=C.UTF-8 PATH="$PATH" "$@"
}
