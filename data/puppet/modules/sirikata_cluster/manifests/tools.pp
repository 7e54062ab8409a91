# @summary Programs of this tool on a node: names of services, server maps, and what prepares a node for a service.
#
# @api private
class sirikata_cluster::tools {
  $folder = '/usr/lib/sirikata-cluster'
  $programs = { 'places.py' => '0644', 'names' => '0755', 'run' => '0755', 'servermap' => '0755' }

  file { $folder:
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }

  $programs.each |String $name, String $mode| {
    file { "${folder}/${name}":
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => $mode,
      content => file("sirikata_cluster/tools/${name}"),
      notify  => Service['sirikata-names'],
    }
  }

  file { '/etc/systemd/system/sirikata-names.service':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => file('sirikata_cluster/tools/sirikata-names.service'),
    notify  => Exec['sirikata_cluster: reload systemd for names'],
  }

  # The user of Sirikata's programs: they open ports to the world, and need no rights on a node.  An existing account of that
  # name is used as it is; Puppet's own type would give it another home and shell.
  group { 'sirikata':
    ensure => present,
    system => true,
  }
  -> exec { 'sirikata_cluster: make the user sirikata':
    command => 'useradd --system --gid sirikata --home-dir /var/lib/sirikata --shell /usr/sbin/nologin sirikata',
    path    => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
    unless  => 'getent passwd sirikata',
  }
  -> file { ['/var/lib/sirikata', '/var/log/sirikata']:
    ensure => directory,
    owner  => 'sirikata',
    group  => 'sirikata',
    mode   => '0755',
  }

  exec { 'sirikata_cluster: reload systemd for names':
    command     => 'systemctl daemon-reload',
    path        => ['/usr/bin', '/bin'],
    refreshonly => true,
    notify      => Service['sirikata-names'],
  }

  service { 'sirikata-names':
    ensure => running,
    enable => true,
  }
}
