# shellcheck shell=sh
# PATH: removes it, apart from what belongs to packages that are installed, and what else is mounted there.
clear_path() {
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    awk -v path="$1" '$0 == path || index($0, path "/") == 1' "$work/belong" >"$work/owned"
    if [ -s "$work/owned" ]; then
      find "$1" -xdev -depth | grep -vxFf "$work/owned" | while read -r path; do
        if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir "$path" 2>/dev/null; else rm -f "$path"; fi
      done
      return
    fi
  elif grep -qxF -- "$1" "$work/belong"; then
    return
  fi
  rm -rf --one-file-system "$1"
}

# What a package that stays brought along and we kept our own of.
default_files() {
  find "$1" -xdev -name '*.dpkg-dist' 2>/dev/null | while read -r file; do mv -f "$file" "${file%.dpkg-dist}"; done
}

work_folder() {
  workdir=$(head -n 1 /etc/sirikata-cluster/workdir 2>/dev/null)
  case $workdir in /?*) ;; *) return ;; esac
  [ -d "$workdir" ] && [ "$workdir" != "$home/work" ] || return 0
  # It was there before us, if the file system tells.
  born=$(stat -c %W "$workdir")
  if [ "$born" -gt 0 ] && [ "$born" -lt "$(stat -c %Y "$before/present")" ]; then return; fi
  rmdir "$workdir" 2>/dev/null || kept "$workdir" 'it holds files of services'
}

restore_files() {
  work_folder
  present >"$work/there"
  # What of it belongs to packages that are installed.
  cat /var/lib/dpkg/info/*.list | grep -Ff "$work/there" | sort -u >"$work/belong"
  while read -r place; do
    if was_there "$place"; then
      tar -C / --compare --file "$before/copies.tar" "${place#/}" >/dev/null 2>&1 || echo "restored $place"
    else
      echo "removed $place"
    fi
    if [ -s "$work/stays" ] && ! was_there "$place"; then default_files "$place"; fi
    clear_path "$place"
  done <"$work/there"
  tar -C / --extract --file "$before/copies.tar" --preserve-permissions --same-owner --numeric-owner --acls \
    --xattrs --xattrs-include='*' || fail 'the copies of the original files could not be restored'
  for folder in /usr/lib/ocf/resource.d /usr/lib/ocf; do rmdir "$folder" 2>/dev/null; done
}

# Only our blocks go: whatever else was written there since stays.
restore_hosts() {
  grep -qE "^# sirikata-cluster('s services)? begin" /etc/hosts || return 0
  sed -e '/^# sirikata-cluster begin/,/^# sirikata-cluster end/d' \
    -e "/^# sirikata-cluster's services begin/,/^# sirikata-cluster's services end/d" /etc/hosts >"$work/hosts"
  cp "$before/hosts.copy" "$work/line"
  echo >>"$work/line"
  if cmp -s "$work/hosts" "$before/hosts.copy" || cmp -s "$work/hosts" "$work/line"; then
    cp -a "$before/hosts.copy" /etc/hosts.sirikata
  else
    cp -a /etc/hosts /etc/hosts.sirikata
    cat "$work/hosts" >/etc/hosts.sirikata
  fi
  mv -f /etc/hosts.sirikata /etc/hosts
  echo 'removed the names of the cluster from /etc/hosts'
}

restore_units() {
  for unit in puppet puppetserver; do
    if [ "$(readlink "/run/systemd/system/$unit.service")" = /dev/null ]; then rm -f "/run/systemd/system/$unit.service"; fi
  done
  systemctl daemon-reload
  while read -r unit rest; do
    systemctl reset-failed "$unit.service" 2>/dev/null
    case $rest in
      *' active') systemctl start "$unit.service" && echo "started $unit" ;;
      *) stop_unit "$unit.service" ;;
    esac
  done <"$before/units"
}
