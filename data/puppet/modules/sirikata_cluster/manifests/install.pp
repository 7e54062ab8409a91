# @summary The packages, installed so that nothing starts before the cluster is formed.
#
# @api private
class sirikata_cluster::install {
  $unpacking = $sirikata_cluster::sirikata_url ? {
    undef   => [],
    default => $sirikata_cluster::sirikata_packages,
  }
  $packages = ($sirikata_cluster::packages + $unpacking).unique

  ['corosync', 'pacemaker'].each |String $daemon| {
    file { "/etc/systemd/system/${daemon}.service.d":
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }
    file { "/etc/systemd/system/${daemon}.service.d/formed.conf":
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => file('sirikata_cluster/formed.conf'),
      notify  => Exec['sirikata_cluster: reload systemd'],
    }
  }

  exec { 'sirikata_cluster: reload systemd':
    command     => 'systemctl daemon-reload',
    path        => ['/usr/bin', '/bin'],
    refreshonly => true,
  }

  file { '/usr/local/lib/sirikata-cluster':
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }
  -> file { '/usr/local/lib/sirikata-cluster/install-packages':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0755',
    content => file('sirikata_cluster/install-packages'),
  }

  # All at once, which takes a fraction of the time.  A package whose installation was interrupted is not installed.
  $names = $packages.join(' ')
  $states = "dpkg-query --show --showformat='\${db:Status-Status}\\n' ${names}"
  exec { 'sirikata_cluster: install packages':
    command  => "/usr/local/lib/sirikata-cluster/install-packages ${names}",
    provider => shell,
    path     => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
    unless   => "states=\$(${states}) && test \"\$(echo \"\$states\" | sort -u)\" = installed",
    timeout  => 900,
    require  => File['/usr/local/lib/sirikata-cluster/install-packages'],
  }

  package { $packages:
    ensure          => installed,
    install_options => ['--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'],
  }

  # needrestart, in Ubuntu's images, restarts everything that uses an upgraded library, on all nodes at the same hour.
  exec { 'sirikata_cluster: keep needrestart off the cluster':
    command => 'printf \'%s\\n\' \'# Managed by Puppet (sirikata_cluster)\' \
      \'$nrconf{override_rc}{qr(^(corosync|pacemaker|sirikata-service-.*)\\.service)} = 0;\' \
      >/etc/needrestart/conf.d/sirikata-cluster.conf',
    path    => ['/usr/bin', '/bin'],
    onlyif  => 'test -d /etc/needrestart/conf.d',
    creates => '/etc/needrestart/conf.d/sirikata-cluster.conf',
  }

  Exec['sirikata_cluster: reload systemd']
  -> Exec['sirikata_cluster: install packages']
  -> Package[$packages]
}
