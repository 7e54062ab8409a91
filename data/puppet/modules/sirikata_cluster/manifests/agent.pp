# @summary The resource agent that runs a command line as a service: ocf:sirikata:service.
#
# @api private
class sirikata_cluster::agent {
  file { '/usr/lib/ocf/resource.d/sirikata':
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }

  file { '/usr/lib/ocf/resource.d/sirikata/service':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0755',
    content => file('sirikata_cluster/service'),
  }
}
