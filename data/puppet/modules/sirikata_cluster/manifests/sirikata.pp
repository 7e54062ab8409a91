# @summary The archive of Sirikata, each version in its own folder, `current` the one in use.
#
# With a wrong checksum the version in use stays.  A repeated run makes no request to the archive's server.
#
# @api private
class sirikata_cluster::sirikata {
  $url = $sirikata_cluster::sirikata_url
  $sha256 = $sirikata_cluster::sirikata_sha256
  $root = $sirikata_cluster::sirikata_root

  if $url {
    unless $sha256 {
      fail('sirikata_cluster::sirikata_url needs sirikata_cluster::sirikata_sha256')
    }
    $archive = "${root}/archives/${sha256}"
    $version = "${root}/versions/${sha256}"

    file { [$root, "${root}/archives", "${root}/versions"]:
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }

    # Since its checksum is known, the archive is fetched only if the one here differs.
    file { $archive:
      ensure         => file,
      owner          => 'root',
      group          => 'root',
      mode           => '0644',
      source         => $url,
      checksum       => 'sha256',
      checksum_value => $sha256,
      backup         => false,
    }

    # Unpacked beside its place and renamed, so that a version is there completely or not at all; readable for services of
    # any user, whatever the umask of this run.  If Python supports it, nothing is unpacked outside of the folder.
    $unpack = 'import sys, tarfile as t; \
t.open(sys.argv[1]).extractall(sys.argv[2], **({"filter": "data"} if hasattr(t, "data_filter") else {}))'
    exec { "sirikata_cluster: unpack ${sha256}":
      command  => "rm -rf '${version}.new' && mkdir '${version}.new' \
        && python3 -c '${unpack}' '${archive}' '${version}.new' \
        && { [ -d '${version}.new/bin' ] || { echo 'the archive has no bin/ at its top'; exit 1; }; } \
        && chown -R root:root '${version}.new' && chmod -R go+rX '${version}.new' \
        && mv -T '${version}.new' '${version}'",
      provider => shell,
      path     => ['/usr/bin', '/bin'],
      creates  => $version,
      timeout  => 600,
      require  => File[$archive],
    }

    # Renamed over the old link: there always is one, so services can start meanwhile.  The file `uses` says since when which
    # version is in use, and so which one a running service was started from.
    exec { "sirikata_cluster: use ${sha256}":
      command  => "ln -sfn '${version}' '${root}/current.new' && mv -fT '${root}/current.new' '${root}/current' \
        && echo \"$(stat -c %Z '${root}/current') ${sha256}\" >>'${root}/uses'",
      provider => shell,
      path     => ['/usr/bin', '/bin'],
      umask    => '0022',
      unless   => "[ \"$(readlink '${root}/current')\" = '${version}' ] && tail -n 1 '${root}/uses' | grep -q ' ${sha256}$'",
      require  => Exec["sirikata_cluster: unpack ${sha256}"],
    }

    # Only once the new version is in use; the one before is kept for a rollback.
    $kept = [$sha256, $sirikata_cluster::sirikata_before_sha256].filter |$sum| { $sum =~ NotUndef }
    $names = $kept.map |$sum| { "! -name ${sum}" }.join(' ')
    $older = "find '${root}/archives' '${root}/versions' -mindepth 1 -maxdepth 1 ${names}"
    exec { 'sirikata_cluster: remove older versions':
      command  => "${older} -exec rm -rf {} +",
      provider => shell,
      path     => ['/usr/bin', '/bin'],
      onlyif   => "${older} | grep -q .",
      require  => Exec["sirikata_cluster: use ${sha256}"],
    }
  }
}
