# shellcheck shell=bash
# The processes of a machine.  They share a cgroup whose path follows from the machine's name, so the kernel says what runs,
# and kills it, without a process id that was recorded earlier.
# Where systemd is process 1, the cgroup is a transient unit's; elsewhere it is created here.  Sourced by `machine`.

process_systemd() { [[ -d /run/systemd/system ]]; }

process_unit() { printf 'sirikata-%s.%s.service' "$1" "$2"; }

# cgroup_root: prints where the unified hierarchy is mounted, alone or beside the old ones.
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

# process_cgroup CLUSTER MACHINE: prints the directory of its cgroup, which exists while it runs.
process_cgroup() {
  if process_systemd; then
    printf '%s/system.slice/%s' "$(cgroup_root)" "$(process_unit "$1" "$2")"
  else
    printf '%s/sirikata-cluster/%s/%s' "$(cgroup_root)" "$1" "$2"
  fi
}

cgroup_populated() { grep -qsx 'populated 1' "$1/cgroup.events"; }

# cgroup_leader CGROUP: prints the id, on this host, of the machine's process 1; fails if there is none.
cgroup_leader() {
  local file pid
  # systemd soon moves itself to init.scope; before that, it is where nspawn started it.
  for file in "$1/payload/init.scope/cgroup.procs" $(find "$1" -name cgroup.procs 2>/dev/null); do
    while read -r pid; do
      # Process 1 of a namespace one level down.  Deeper ones are of containers on the machine.
      if [[ $(sed -n 's/^NSpid:\t//p' "/proc/$pid/status" 2>/dev/null) == "$pid"$'\t1' ]]; then
        printf '%s' "$pid"
        return 0
      fi
    done < <(cat "$file" 2>/dev/null)
  done
  return 1
}

# process_leader CLUSTER MACHINE: prints its process 1; waits while it has none, as during a reboot.
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

# process_start CLUSTER MACHINE CONSOLE COMMAND...: runs the command in the background, and again whenever it exits with 133,
# by which nspawn says that the machine reboots.
process_start() {
  local cluster=$1 machine=$2 console=$3 cgroup
  shift 3
  : >"$console"
  if process_systemd; then
    # KillMode=mixed, so that a shutdown of the host shuts the machine down.
    systemd-run --quiet --collect --unit="$(process_unit "$cluster" "$machine")" --description="machine $machine of cluster $cluster" \
      -p Delegate=yes -p KillMode=mixed -p TimeoutStopSec=15 -p TasksMax=16384 -p RestartForceExitStatus=133 -p SuccessExitStatus=133 \
      -p RestartSec=0 -p StartLimitIntervalSec=0 -p StandardInput=null -p StandardOutput="append:$console" -p StandardError="append:$console" \
      -E SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 -- "$@" </dev/null >&2
    return
  fi
  cgroup=$(process_cgroup "$cluster" "$machine")
  mkdir -p "$cgroup"
  # The machine must not inherit the locks.
  # shellcheck disable=SC2016  # for the inner shell
  env -i PATH="$PATH" SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setsid --fork bash -c '
    echo $$ >"$0/cgroup.procs" || exit
    trap "" HUP
    while "$@"; [[ $? -eq 133 ]]; do :; done' "$cgroup" "$@" </dev/null >>"$console" 2>&1 7>&- 8>&- 9>&-
}

# process_kill CLUSTER MACHINE: all its processes at once, as a power cut; returns when none is left.
process_kill() {
  local cgroup try
  cgroup=$(process_cgroup "$1" "$2")
  if [[ -e $cgroup/cgroup.kill ]]; then echo 1 2>/dev/null >"$cgroup/cgroup.kill" || true; fi
  for ((try = 0; try < 250; try++)); do
    cgroup_populated "$cgroup" || break
    sleep 0.02
  done
  if cgroup_populated "$cgroup"; then die "some processes of $2 cannot be killed: see $cgroup"; fi
  process_forget "$1" "$2"
}

# process_forget CLUSTER MACHINE: removes what ended processes leave.  The cgroup must go, not only be empty: systemd clones
# processes straight into a unit's cgroup, and some kernels kill what is cloned into one that was killed before.
process_forget() {
  local dir
  if process_systemd; then
    systemctl --quiet stop "$(process_unit "$1" "$2")" 2>/dev/null || true
    systemctl --quiet reset-failed "$(process_unit "$1" "$2")" 2>/dev/null || true
  fi
  # Beside the old hierarchies, nspawn creates the same directories in systemd's own hierarchy, too.
  for dir in "$(process_cgroup "$1" "$2")" "/sys/fs/cgroup/systemd/sirikata-cluster/$1/$2"; do
    if [[ -d $dir ]]; then retry cgroup_remove "$dir"; fi
  done
}

# cgroup_remove DIRECTORY: with all below it.  systemd may be removing it at the same time.
cgroup_remove() {
  find "$1" -depth -type d -exec rmdir {} + || [[ ! -d $1 ]]
}

# process_forget_cluster CLUSTER: removes the directories above those of its machines.
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
