# shellcheck shell=sh
# Prints what this node lacks to run a service, as lines of key=value.
#   programs       a line each: paths of programs
#   user, folder   which it runs as, and in; either may be empty
#   cpu            is not empty: its CPU is limited
printf '%s\n' "$programs" | while IFS= read -r program; do
  [ -x "$program" ] || printf 'program=%s\n' "$program"
done
[ -z "$user" ] || id "$user" >/dev/null 2>&1 || printf 'user=%s\n' "$user"
[ -z "$folder" ] || [ -d "$folder" ] || printf 'directory=%s\n' "$folder"
[ -z "$cpu" ] || grep -qsw cpu /sys/fs/cgroup/cgroup.controllers || echo controller=cpu
