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

  # All at once, which takes a fraction of one by one, and with fresh lists: a new image has none, or old ones.
  # Nothing recommended: that would be configuration tools of others, and a mail server.
  $names = $packages.join(' ')
  $options = ['--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300']
  exec { 'sirikata_cluster: install packages':
    command     => "apt-get -q -o DPkg::Lock::Timeout=300 update && apt-get -q -y -o DPkg::Options::=--force-confold \
      ${options.join(' ')} install ${names}",
    environment => ['DEBIAN_FRONTEND=noninteractive'],
    provider    => shell,
    path        => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
    unless      => "dpkg-query --show ${names}",
    timeout     => 900,
  }

  package { $packages:
    ensure          => installed,
    install_options => $options,
  }

  Exec['sirikata_cluster: reload systemd']
  -> Exec['sirikata_cluster: install packages']
  -> Package[$packages]
}
