# shellcheck shell=sh
apt() { apt-get -q -y -o DPkg::Lock::Timeout=600 -o APT::Get::AutomaticRemove=false -o Dpkg::Options::=--force-confold "$@"; }

# Names as apt writes them: with the architecture only where that is another one than the system's.
plain() { sed "s/:$(dpkg --print-architecture)\$//" | sort -u; }

# What would go or come, and is not ours, if those were purged.
others() {
  apt -s purge "$@" >"$work/would" 2>"$work/log" || fail "$(tail -n 5 "$work/log")
apt cannot tell what would go with the packages: run this again when it can"
  awk '/^(Purg|Remv|Inst) / { print $2 }' "$work/would" | sort -u | grep -vxFf "$work/ours"
}

# Keeps what others need of ours, by the dependencies that apt knows, until nothing of theirs would change.
spare_needed() {
  while [ -s "$work/ours" ]; do
    # shellcheck disable=SC2046  # names
    others $(cat "$work/ours") >"$work/foreign"
    [ -s "$work/foreign" ] || return 0
    # shellcheck disable=SC2046
    apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
      $(cat "$work/foreign") 2>/dev/null | sed 's/^[ |]*\(PreDepends: \|Depends: \)\{0,1\}//' | plain >"$work/needed"
    # None of ours, as where apt would put another package in the place of one: which of them it is cannot be told.
    grep -xFf "$work/needed" "$work/ours" >"$work/spared" || cp "$work/ours" "$work/spared"
    while read -r name; do
      kept "package $name" "$(head -n 3 "$work/foreign" | tr '\n' ' ' | sed 's/ $//') would go with it, which is not of this cluster"
    done <"$work/spared"
    cat "$work/spared" >>"$work/stays"
    grep -vxFf "$work/spared" "$work/ours" >"$work/rest"
    mv "$work/rest" "$work/ours"
  done
}

purge_all() {
  : >"$work/stays"
  # shellcheck disable=SC2016  # for dpkg
  dpkg-query -Wf '${binary:Package} ${db:Status-Status}\n' | awk '$2 != "not-installed" { print $1 }' | plain >"$work/have"
  awk '$3 == "installed" { print $1 }' "$before/packages" | plain >"$work/had"
  plain <"$before/manual" >"$work/marks"
  sed -n 's/^package //p' "$home/packages" 2>/dev/null | sort -u | grep -xFf "$work/have" | grep -vxFf "$work/had" >"$work/ours"
  # Not named by us, and wanted for its own sake by now: its owner has installed it.
  apt-mark showmanual | plain >"$work/manual"
  sed -n 's/^named //p' "$home/packages" 2>/dev/null >"$work/named"
  for name in $(grep -xFf "$work/manual" "$work/ours" | grep -vxFf "$work/named"); do
    kept "package $name" 'it has been installed by name since'
    grep -vxF "$name" "$work/ours" >"$work/ours.new"
    mv "$work/ours.new" "$work/ours"
  done
  # dpkg may have been cut off in the middle.
  apt -s purge >/dev/null 2>&1 || dpkg --force-confold --configure -a >/dev/null 2>&1 9>&-
  spare_needed
  if [ -s "$work/ours" ]; then purge_ours; fi
  sed -n 's/^upgraded //p' "$home/packages" 2>/dev/null | sort -u | while read -r name was; do
    kept "package $name" "it is newer than it was ($was)"
  done
  clear_archives
  restore_marks
}

purge_ours() {
  # What was removed but for its configuration is that again.
  awk '$3 == "config-files" { print $1 }' "$before/packages" | plain >"$work/rest"
  grep -xFf "$work/rest" "$work/ours" >"$work/remove"
  grep -vxFf "$work/rest" "$work/ours" >"$work/purge"
  for verb in remove purge; do
    [ -s "$work/$verb" ] || continue
    tries=0
    # shellcheck disable=SC2046
    until apt "$verb" $(cat "$work/$verb") >"$work/log" 2>&1 9>&-; do
      tries=$((tries + 1))
      if [ "$tries" -ge 5 ]; then
        { grep -E -A 2 '^dpkg: (error|unrecoverable)' "$work/log" || grep '^E:' "$work/log" || tail -n 5 "$work/log"; } >&2
        fail 'apt could not remove the packages: run this again when it can'
      fi
      dpkg --force-confold --configure -a >/dev/null 2>&1 9>&-
      sleep "$((tries * 2))"
    done
  done
  echo "removed $(wc -l <"$work/ours") packages: $(head -n 8 "$work/ours" | tr '\n' ' ')$([ "$(wc -l <"$work/ours")" -le 8 ] || echo …)"
}

# What apt downloaded for packages that came with the cluster and are gone, also by a run of this that was cut off.
clear_archives() {
  # shellcheck disable=SC2016  # for dpkg
  dpkg-query -Wf '${binary:Package} ${db:Status-Status}\n' | awk '$2 == "installed" { print $1 }' | plain >"$work/now"
  sed -n 's/^package //p' "$home/packages" 2>/dev/null | sort -u | grep -vxFf "$work/now" | sed 's/:.*//' | while read -r name; do
    for file in /var/cache/apt/archives/"$name"_*.deb; do
      if [ -e "$file" ] && ! grep -qxF "$file" "$before/archives"; then rm -f "$file"; fi
    done
  done
}

# Of the packages that we named and that were there before.
restore_marks() {
  for name in $(sort -u "$work/named" | grep -xFf "$work/had"); do
    if grep -qxF "$name" "$work/marks"; then apt-mark manual "$name" >/dev/null; else apt-mark auto "$name" >/dev/null; fi
  done
}

# Owners that dpkg was told to give files (dpkg-statoverride(1)) outlive their packages, and dpkg installs nothing at all while it
# knows of one that does not exist.
forget_owner() {
  dpkg-statoverride --quiet --remove "$1" || kept "dpkg-statoverride $1" 'dpkg would not forget it'
}

# KIND NAME: a user or a group that is about to go.
forget_owners() {
  while read -r user group _ path; do
    case "$1 $2" in "user $user" | "group $group") forget_owner "$path" ;; esac
  done </var/lib/dpkg/statoverride
}

restore_owners() {
  [ -e "$before/statoverride.copy" ] || return 0
  grep -vxFf "$before/statoverride.copy" /var/lib/dpkg/statoverride | while read -r _ _ _ path; do
    [ -e "$path" ] || forget_owner "$path"
  done
  # With its date; and the copy that dpkg makes.
  if cmp -s /var/lib/dpkg/statoverride "$before/statoverride.copy"; then
    cp -a "$before/statoverride.copy" /var/lib/dpkg/statoverride
    if [ -e "$before/statoverride-old.copy" ]; then cp -a "$before/statoverride-old.copy" /var/lib/dpkg/statoverride-old
    else rm -f /var/lib/dpkg/statoverride-old; fi
  fi
}

# Users and groups that came with those packages or with Puppet, unless a package that needs them stays.
remove_users() {
  { echo user sirikata; echo group sirikata
    grep -E '^(user|group) ' "$home/packages" 2>/dev/null
    # Cut off while packages were being installed: any system account that has appeared since.
    if [ -e "$home/names" ]; then
      awk -F: '$3 < 1000 { print "user " $1 }' /etc/passwd
      awk -F: '$3 < 1000 { print "group " $1 }' /etc/group
    fi | { grep -vxFf "$home/names" 2>/dev/null || :; }
  } | sort -u >"$work/names"
  for kind in user group; do
    database=passwd
    [ "$kind" = user ] || database=group
    sed -n "s/^$kind //p" "$work/names" | while read -r name; do
      number=$(getent "$database" "$name" | cut -d: -f3)
      if grep -qxF "$name" "$before/${kind}s" || [ "${number:-1000}" -ge 1000 ]; then continue; fi
      if [ -s "$work/stays" ] && [ "$name" != sirikata ]; then kept "$kind $name" 'packages that stay may need it'; continue; fi
      forget_owners "$kind" "$name"
      "${kind}del" "$name" >/dev/null 2>&1 || kept "$kind $name" 'it is in use'
    done
  done
  while read -r name; do
    getent passwd "$name" >/dev/null || kept "no user $name" 'it went, and was there before'
  done <"$before/users"
  # The copies that the programs which do this make of the files.
  for file in passwd group shadow gshadow; do
    if [ -e "$before/$file.copy" ] && cmp -s "/etc/$file" "$before/$file.copy"; then
      if [ -e "$before/$file-.copy" ]; then cp -a "$before/$file-.copy" "/etc/$file-"; else rm -f "/etc/$file-"; fi
    fi
  done
}
