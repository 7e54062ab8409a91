# Managed by sirikata-cluster.  Name classes of your own under the key `classes` in data/common.yaml.
node default {
  include sirikata_cluster

  lookup('classes', Array[String[1]], 'unique', []).each |String[1] $class| {
    include $class
  }
}
