# @summary The packages, installed so that nothing starts before the cluster is formed.
#
# @api private
class sirikata_cluster::install {
  $fencing = $sirikata_cluster::fence_packages[$sirikata_cluster::provider] ? {
    undef   => [],
    default => $sirikata_cluster::fence_packages[$sirikata_cluster::provider],
  }
  $unpacking = $sirikata_cluster::sirikata_url ? {
    undef   => [],
    default => $sirikata_cluster::sirikata_packages,
  }
  $packages = ($sirikata_cluster::packages + $fencing + $unpacking).unique

  ['corosync', 'pacemaker'].each |String $daemon| {
    file { "/etc/systemd/system/${daemon}.service.d":
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }
    file { "/etc/systemd/system/${daemon}.service.d/formed.conf":
      ensure => file,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      source => 'puppet:///modules/sirikata_cluster/formed.conf',
      notify => Exec['sirikata_cluster: reload systemd'],
    }
  }

  exec { 'sirikata_cluster: reload systemd':
    command     => 'systemctl daemon-reload',
    path        => ['/usr/bin', '/bin'],
    refreshonly => true,
  }

  # A fresh image comes without package lists, or with old ones; a machine that has its packages needs none.
  $names = $packages.join(' ')
  exec { 'sirikata_cluster: update package lists':
    command => 'apt-get -q -o DPkg::Lock::Timeout=300 update',
    path    => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
    unless  => "dpkg-query --show ${names}",
    timeout => 600,
  }

  package { $packages:
    ensure          => installed,
    install_options => ['-o', 'DPkg::Lock::Timeout=300'],
  }

  Exec['sirikata_cluster: reload systemd']
  -> Exec['sirikata_cluster: update package lists']
  -> Package[$packages]
}
