# shellcheck shell=bash
# The image that local machines start from: Debian with everything a node needs, built once for each suite.  Its name contains
# a digest of its recipe: a changed recipe builds a new image, and machines that use the old one keep it.  Sourced by `machine`.

# What a node needs, and daemons to try services with.  Recommended packages are left out: they include a mail server and
# a firmware loader.
image_packages=(
  systemd systemd-sysv dbus openssh-server sudo cloud-init
  corosync pacemaker pacemaker-cli-utils resource-agents libxml2-utils
  puppet-agent puppetserver
  python3 procps iproute2 iputils-ping netbase ca-certificates less curl psmisc
  redis-server redis-tools nginx-light
)

# Started by what forms the cluster, never by the boot of an unconfigured node; or by the cluster, as its services.
image_disabled=(
  corosync.service pacemaker.service puppet.service puppetserver.service logd.service
  redis-server.service nginx.service
)

# Units that a container cannot use, or that would only make a boot longer.
image_masked=(
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer
  e2scrub_reap.service getty.target console-getty.service getty-static.service
  systemd-networkd.service systemd-networkd.socket systemd-networkd-wait-online.service systemd-network-generator.service
  systemd-resolved.service systemd-timesyncd.service systemd-firstboot.service systemd-hwdb-update.service
  systemd-pstore.service systemd-udevd.service systemd-udev-trigger.service systemd-udev-settle.service
  systemd-udevd-kernel.socket systemd-udevd-control.socket networking.service ifupdown-wait-online.service
  sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount
  cloud-init-hotplugd.socket cloud-init-hotplugd.service cloud-init-network.target puppet-master.service pxp-agent.service
)

# Halves the time that a cluster's Puppet server takes to start.
image_warm=$HERE/../puppet/master/warm

# image_mirrors SUITE: prints the archives to build from, as lines of sources.list: those that this host's own apt uses.
image_mirrors() {
  local suite=$1 main='' security='' updates='' origin label codename uri signed
  # shellcheck disable=SC2016  # apt expands the fields
  local format='$(ORIGIN)|$(LABEL)|$(CODENAME)|$(REPO_URI)'
  signed="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
  while IFS='|' read -r origin label codename uri; do
    [[ $origin == Debian ]] || continue
    case $label:$codename in
      Debian-Security:*) security=${security:-$uri} ;;
      Debian:*-updates) updates=${updates:-$uri} ;;
      Debian:*-backports*) ;;
      Debian:*) main=${main:-$uri} ;;
    esac
  done < <(apt-get indextargets --format "$format" 'Identifier: Packages' 2>/dev/null | sort -u)
  # A host that is not Debian, or that has never fetched a list.
  if [[ -z $main ]]; then main=http://deb.debian.org/debian updates=$main security=http://deb.debian.org/debian-security; fi
  printf 'deb %s %s %s main\n' "$signed" "$main" "$suite"
  if [[ -n $updates ]]; then printf 'deb %s %s %s-updates main\n' "$signed" "$updates" "$suite"; fi
  if [[ -n $security ]]; then printf 'deb %s %s %s-security main\n' "$signed" "$security" "$suite"; fi
}

# image_path SUITE: prints where the image of the present recipe is, or will be.  The mirror is not part of the recipe.
# SIRIKATA_LOCAL_IMAGE, for tests only, replaces every image.
image_path() {
  local digest
  if [[ -n ${SIRIKATA_LOCAL_IMAGE-} ]]; then
    printf '%s\n' "$SIRIKATA_LOCAL_IMAGE"
    return
  fi
  digest=$({ echo "$1"; declare -p image_packages image_disabled image_masked; declare -f image_customize image_cloud_init; cat "$image_warm"; } | sha256sum)
  printf '%s/%s-%s\n' "$CACHE" "$1" "${digest:0:12}"
}

# image_customize ROOT: the configuration that Debian's packages leave to the administrator.
image_customize() {
  local root=$1 unit
  for unit in "${image_masked[@]}"; do ln -sfn /dev/null "$root/etc/systemd/system/$unit"; done
  # Identities are made when a machine boots: host keys by cloud-init, the machine id by systemd.
  rm -f "$root"/etc/ssh/ssh_host_*_key "$root"/etc/ssh/ssh_host_*_key.pub
  : >"$root/etc/machine-id"
  rm -f "$root/var/lib/dbus/machine-id"
  # Debian's example makes every node a cluster of its own.
  rm -f "$root/etc/corosync/corosync.conf" "$root/etc/hostname"
  # Nothing answers names here.  Without a server in it, a lookup is refused by the loopback at once instead of timing out.
  rm -f "$root/etc/resolv.conf"
  printf 'options timeout:1 attempts:1\n' >"$root/etc/resolv.conf"
  printf '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"
  printf 'LANG=C.UTF-8\n' >"$root/etc/default/locale"
  printf 'UseDNS no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n' >"$root/etc/ssh/sshd_config.d/10-sirikata.conf"
  image_cloud_init "$root/etc/cloud"
  # Nothing in /etc or /var is older than /usr, so the first boot need not rebuild caches.
  touch "$root/etc/.updated" "$root/var/.updated"
  # The mirror, proxy and date checks of the host that built this are not a node's business.
  rm -f "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/log/{apt,dpkg.log,alternatives.log,bootstrap.log}
}

# image_cloud_init ETC_CLOUD: user-data comes from a seed on the disk; the network exists before the machine boots.
image_cloud_init() {
  local etc=$1
  rm -f "$etc/ds-identify.cfg"
  cat >"$etc/cloud.cfg.d/90_sirikata.cfg" <<'CFG'
datasource_list: [ NoCloud, None ]
network: { config: disabled }
ssh_genkeytypes: [ ecdsa, ed25519 ]
# Only what user-data for a node may ask for; the rest would look for disks, clouds and mirrors that are not there.
cloud_init_modules: [ seed_random, bootcmd, write_files, ca_certs, set_hostname, update_hostname, update_etc_hosts, users_groups, ssh ]
cloud_config_modules: [ set_passwords, timezone, locale, runcmd ]
cloud_final_modules: [ package_update_upgrade_install, write_files_deferred, scripts_per_once, scripts_per_boot, scripts_per_instance, scripts_user, final_message ]
CFG
}

# image_apt_options: prints the host's own settings for its mirror, which mmdebstrap does not read by itself.
image_apt_options() {
  apt-config dump 2>/dev/null | grep -E '^Acquire::((http|https)::(Proxy|Timeout|CaInfo|Verify)|Retries|ForceIPv|Check-)' || true
}

# image_progress: reads mmdebstrap's output, prints lines `progress<TAB>PERCENT<TAB>TEXT`, at most one for each percent.
# Essential packages come first, in a run of their own: a tenth of the work.
image_progress() {
  awk -v OFS='\t' '
    function say(text, p) {
      p = int(from + width * (0.2 * fetched + 0.4 * unpacked + 0.4 * ready) / total)
      if (p > last && p < 98) { last = p; print "progress", p, text; fflush() }
    }
    / newly installed/ {
      for (i = 2; i <= NF; i++) if ($i == "newly") total = $(i - 1)
      from = runs++ ? 13 : 3; width = from == 3 ? 10 : 84; fetched = unpacked = ready = 0
    }
    !total { next }
    /^Get:/ { fetched++; say("downloading " $5) }
    /^Unpacking / { unpacked++; say("unpacking " $2) }
    /^Setting up / { ready++; say("setting up " $3) }
  '
}

# image_bootstrap SUITE ROOT: installs the packages, in namespaces that end with this process: an abandoned build would hold
# the lock for minutes and leave its mounts.  Replaces its (sub)shell, which would not end with it.
image_bootstrap() {
  local suite=$1 root=$2 mirrors option options=()
  mapfile -t mirrors < <(image_mirrors "$suite")
  while read -r option; do options+=("--aptopt=$option"); done < <(image_apt_options)
  exec setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --mount-proc -- \
    mmdebstrap --mode=root --variant=minbase --format=directory --verbose --include="${image_packages[*]}" "${options[@]}" \
    --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --customize-hook="chroot \"\$1\" systemctl --quiet disable ${image_disabled[*]}" \
    --customize-hook="unshare --net sh -c 'ip link set lo up && chroot \"\$0\" sh -s' \"\$1\" <'$image_warm' ||
      echo 'W: the Puppet server will start more slowly'" \
    "$suite" "$root" "${mirrors[@]}" </dev/null 2>&1
}

# image_build SUITE TARGET: builds in a directory beside the target, and renames it at the end.
image_build() {
  local suite=$1 target=$2 work
  # The lock admits a single builder, so any other work directory is of a build that was interrupted.
  rm -rf --one-file-system "$CACHE"/.build-"$suite".*
  work=$(mktemp -d "$CACHE/.build-$suite.XXXXXX")
  printf 'progress\t0\tbuilding a Debian %s image\n' "$suite"
  image_bootstrap "$suite" "$work/root" | tee "$work/log" | image_progress || {
    grep -E '^(E|dpkg: error)[: ]' "$work/log" | tail -n 5 >&2 || true
    mv "$work/log" "$CACHE/$suite.log"
    rm -rf --one-file-system "$work"
    die "the image of $suite could not be built: see $CACHE/$suite.log"
  }
  printf 'progress\t98\tconfiguring\n'
  image_customize "$work/root"
  sync -f "$work/root"
  mv -T "$work/root" "$target"
  rm -rf "$work" "$CACHE/$suite.log"
  printf 'progress\t100\tdone\n'
}

# image_expired SUITE KEEP: prints the images of older recipes that no machine uses.
image_expired() {
  local suite=$1 keep=$2 image used
  used=$(cat "$STATE"/clusters/*/*/image 2>/dev/null || true)
  for image in "$CACHE/$suite"-*; do
    if [[ ! -d $image || $image == "$keep" ]] || grep -qxF "$image" <<<"$used"; then continue; fi
    printf '%s\n' "$image"
  done
}

# image_expire SUITE KEEP: removes them.
image_expire() {
  local suite=$1 image
  for image in $(image_expired "$@"); do
    # Renamed first, so that an interrupted removal does not leave half an image under its name.
    mv -T "$image" "$CACHE/.build-$suite.old-${image##*-}" && rm -rf --one-file-system "$CACHE/.build-$suite.old-${image##*-}"
  done
}

# verb_changes SUITE: prints what `image` would do: `build PATH`, `remove PATH`.
verb_changes() {
  valid_suite "$1"
  local target image
  target=$(image_path "$1")
  if [[ ! -d $target ]]; then printf 'build\t%s\n' "$target"; fi
  if [[ -n ${SIRIKATA_LOCAL_IMAGE-} ]]; then return; fi
  for image in $(image_expired "$1" "$target"); do printf 'remove\t%s\n' "$image"; done
}

verb_image() {
  valid_suite "$1"
  local suite=$1 target
  mkdir -p "$CACHE"
  target=$(image_path "$suite")
  if [[ -n ${SIRIKATA_LOCAL_IMAGE-} ]]; then
    [[ -d $target ]] || die "no image at $target"
    printf '%s\n' "$target"
    return
  fi
  lock 7 exclusive "$RUN/locks/image.$suite"
  if [[ ! -d $target ]]; then image_build "$suite" "$target"; fi
  image_expire "$suite" "$target"
  printf '%s\n' "$target"
}
