# @summary The archive of Sirikata, each version in its own folder, `current` the one in use.
#
# A bad checksum leaves the version in use where it is.  A repeated run asks the archive's server for nothing.
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

    # With its checksum known, the source is asked only when the archive here is another one.
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

    # Unpacked beside its place and renamed, so that a version is there whole or not at all; and such that services which
    # are not root's can read it, whatever the umask of this run.  Where Python knows how, nothing is put elsewhere.
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

    # Renamed over the old link: at no moment is there none, so whatever starts meanwhile starts.  From when on which
    # version was in use is written down, which tells what a service that runs was started from.
    exec { "sirikata_cluster: use ${sha256}":
      command  => "ln -sfn '${version}' '${root}/current.new' && mv -fT '${root}/current.new' '${root}/current' \
        && echo \"$(stat -c %Z '${root}/current') ${sha256}\" >>'${root}/uses'",
      provider => shell,
      path     => ['/usr/bin', '/bin'],
      umask    => '0022',
      unless   => "[ \"$(readlink '${root}/current')\" = '${version}' ] && tail -n 1 '${root}/uses' | grep -q ' ${sha256}$'",
      require  => Exec["sirikata_cluster: unpack ${sha256}"],
    }

    # Only once the new version is in use; the one before is kept, to go back to.
    $kept = [$sha256, $sirikata_cluster::sirikata_before_sha256].filter |$one| { $one =~ NotUndef }
    $names = $kept.map |$one| { "! -name ${one}" }.join(' ')
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
