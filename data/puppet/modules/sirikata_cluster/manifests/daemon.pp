# @summary A daemon of the distribution that the cluster runs: it is installed, but its own unit never starts.
#
# @param packages
#   The packages that contain it.
# @param unit
#   The unit that the distribution would start, without .service.
#
# @api private
define sirikata_cluster::daemon (
  Array[String[1]] $packages,
  Pattern[/\A[a-z0-9-]+\z/] $unit = $title,
) {
  $names = $packages.join(' ')
  $states = "dpkg-query --show --showformat='\${db:Status-Status}\\n' ${names}"

  exec { "sirikata_cluster: install ${names}":
    command  => "/usr/lib/sirikata-cluster/install-daemon ${unit}.service ${names}",
    provider => shell,
    path     => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
    unless   => "states=\$(${states}) && test \"\$(echo \"\$states\" | sort -u)\" = installed",
    timeout  => 900,
    require  => File['/usr/lib/sirikata-cluster/install-daemon'],
  }
  -> service { $unit:
    ensure => stopped,
    enable => false,
  }
}
