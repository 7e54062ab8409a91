# @summary The key and corosync.conf, from a mount that serves each cluster its own.
#
# @api private
class sirikata_cluster::corosync {
  file { '/etc/corosync':
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }

  # The key is not part of the catalog, and is not copied to the file bucket.  Corosync refuses one of less than 128 bytes
  # (corosync-keygen(8)).
  file { '/etc/corosync/authkey':
    ensure               => file,
    owner                => 'root',
    group                => 'root',
    mode                 => '0400',
    source               => 'puppet:///cluster/authkey', # lint:ignore:puppet_url_without_modules
    show_diff            => false,
    backup               => false,
    validate_cmd         => '/bin/sh -c \'test "$(stat -c %s "$1")" -ge 128\' - @@',
    validate_replacement => '@@',
  }

  # Without corosync, before its installation, it cannot be checked.
  file { '/etc/corosync/corosync.conf':
    ensure       => file,
    owner        => 'root',
    group        => 'root',
    mode         => '0644',
    source       => 'puppet:///cluster/corosync.conf', # lint:ignore:puppet_url_without_modules
    validate_cmd => '/bin/sh -c \'test ! -x /usr/sbin/corosync || exec /usr/sbin/corosync -t -c "$1"\' - %',
    require      => File['/etc/corosync/authkey'],
  }

  # The daemons keep running: a new file is reloaded, by all members at once (corosync-cfgtool(8)).  If the tool has put
  # the file here already, Puppet finds the same content and does nothing.
  exec { 'sirikata_cluster: reload corosync.conf':
    command     => 'corosync-cfgtool -R',
    path        => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
    onlyif      => ['test -x /usr/sbin/corosync', 'systemctl --quiet is-active corosync.service', 'corosync -t'],
    refreshonly => true,
    subscribe   => File['/etc/corosync/corosync.conf'],
  }
}
