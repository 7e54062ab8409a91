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
    # are not root's can read it, whatever the umask of this run.
    exec { "sirikata_cluster: unpack ${sha256}":
      command  => "rm -rf '${version}.new' && mkdir '${version}.new' \
        && python3 -m tarfile -e '${archive}' '${version}.new' && chown -R root:root '${version}.new' && chmod -R go+rX '${version}.new' \
        && mv -T '${version}.new' '${version}'",
      provider => shell,
      path     => ['/usr/bin', '/bin'],
      creates  => $version,
      timeout  => 600,
      require  => File[$archive],
    }

    file { "${root}/current":
      ensure  => link,
      target  => $version,
      require => Exec["sirikata_cluster: unpack ${sha256}"],
    }
  }
}
