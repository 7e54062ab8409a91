# @summary What a node's type adds: a daemon that the cluster runs as a service, and its configuration.
#
# With another type, or none, the configuration is removed; packages and the user's files stay.
#
# @api private
class sirikata_cluster::types {
  $type = $sirikata_cluster::types[$trusted['hostname']]

  file { '/usr/lib/sirikata-cluster/install-daemon':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0755',
    content => file('sirikata_cluster/install-daemon'),
  }

  if $type == 'redis' {
    sirikata_cluster::daemon { 'redis-server':
      packages => ['redis-server', 'redis-tools'],
    }
  }

  if $type == 'cdn' {
    sirikata_cluster::daemon { 'nginx':
      packages => ['nginx'],
    }
  }

  # On every node: the user puts files on all of them, so that they are there wherever the type moves.
  file { '/var/lib/sirikata/cdn':
    ensure  => directory,
    owner   => 'root',
    group   => 'root',
    mode    => '0755',
    require => File['/var/lib/sirikata'],
  }

  $cdn = $type ? {
    'cdn'   => file,
    default => absent,
  }
  file { '/etc/sirikata-cluster/cdn.conf':
    ensure  => $cdn,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => file('sirikata_cluster/cdn.conf'),
  }
}
