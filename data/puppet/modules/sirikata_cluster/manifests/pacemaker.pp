# @summary The daemons: started at boot, and kept running once the cluster has been formed.
#
# @api private
class sirikata_cluster::pacemaker {
  $running = $facts['sirikata_cluster_formed'] ? {
    true    => running,
    default => undef,
  }

  service { 'corosync':
    ensure => $running,
    enable => true,
  }

  service { 'pacemaker':
    ensure  => $running,
    enable  => true,
    require => Service['corosync'],
  }
}
