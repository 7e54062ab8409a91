# @summary The node's folder for data of services, which they know as WORKDIR.
#
# Every account may write there, as in /tmp.  An existing folder keeps its owner and its mode.
#
# @api private
class sirikata_cluster::workdir {
  $chosen = $sirikata_cluster::workdirs[$trusted['hostname']]
  $workdir = $chosen ? {
    undef   => '/var/lib/sirikata-cluster/work',
    default => $chosen,
  }

  exec { "sirikata_cluster: make ${workdir}":
    command => "mkdir -p -m 1777 '${workdir}'",
    path    => ['/usr/bin', '/bin'],
    umask   => '0022',
    creates => $workdir,
  }
  -> file { '/etc/sirikata-cluster/workdir':
    ensure  => file,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => "${workdir}\n",
  }

  file { '/etc/sirikata-cluster':
    ensure => directory,
    owner  => 'root',
    group  => 'root',
    mode   => '0755',
  }
}
