# shellcheck shell=sh
# Prints what this node lacks to run a service, as lines of FIELD=VALUE.
#   programs    a line each: the field that names a program, a space, the program's path
#   user, cwd   of the service; either may be empty
#   cpu         is not empty: its CPU is limited
printf '%s\n' "$programs" | while IFS=' ' read -r field program; do
  [ -x "$program" ] || printf '%s=%s\n' "$field" "$program"
done
[ -z "$user" ] || id -- "$user" >/dev/null 2>&1 || printf 'user=%s\n' "$user"
[ -z "$cwd" ] || [ -d "$cwd" ] || printf 'cwd=%s\n' "$cwd"
[ -z "$cpu" ] || grep -qsw cpu /sys/fs/cgroup/cgroup.controllers || printf 'cpu=%s\n' "$cpu"
