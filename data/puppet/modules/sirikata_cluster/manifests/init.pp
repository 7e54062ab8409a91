# @summary A member of a Corosync and Pacemaker cluster.
#
# Prepares everything, and starts nothing before the tool has formed the cluster; from then on it keeps the daemons
# running and reloads corosync.conf in the running ones.
#
# @param packages
#   The packages that every member needs.
# @param provider
#   The kind of nodes: `local`, `ec2` or `adhoc`.
# @param sirikata_url
#   The URL of the archive of Sirikata, http, https, file or puppet; undef for none.
# @param sirikata_sha256
#   Its checksum.  Another checksum is another version, unpacked beside the old one.
# @param sirikata_before_sha256
#   The checksum of the version before, which is kept beside it; those before that are removed.
# @param sirikata_packages
#   The packages that unpacking it needs.
# @param sirikata_root
#   The folder that it is unpacked in; `current` in it is the version in use.
# @param types
#   The types of nodes that have one, by the node's name.
# @param workdirs
#   The folders for data of services, by the node's name, if not the default.
class sirikata_cluster (
  Array[String[1]] $packages,
  String[1] $provider = 'adhoc',
  Optional[Pattern[/\A(https?|file|puppet):\/\//]] $sirikata_url = undef,
  Optional[Pattern[/\A[0-9a-f]{64}\z/]] $sirikata_sha256 = undef,
  Optional[Pattern[/\A[0-9a-f]{64}\z/]] $sirikata_before_sha256 = undef,
  Array[String[1]] $sirikata_packages = [],
  Pattern[/\A\/\S+\z/] $sirikata_root = '/opt/sirikata',
  Hash[String[1], Enum['redis', 'cdn']] $types = {},
  Hash[String[1], Pattern[/\A\/[^'\n]+\z/]] $workdirs = {},
) {
  contain sirikata_cluster::corosync
  contain sirikata_cluster::install
  contain sirikata_cluster::agent
  contain sirikata_cluster::tools
  contain sirikata_cluster::pacemaker
  contain sirikata_cluster::sirikata
  contain sirikata_cluster::workdir
  contain sirikata_cluster::types

  # Configuration before packages: apt keeps ours, so that Debian's default never forms a cluster of one.
  Class['sirikata_cluster::corosync']
  -> Class['sirikata_cluster::install']
  -> Class['sirikata_cluster::agent']
  -> Class['sirikata_cluster::pacemaker']

  Class['sirikata_cluster::install'] -> Class['sirikata_cluster::tools', 'sirikata_cluster::sirikata']
  Class['sirikata_cluster::tools', 'sirikata_cluster::workdir'] -> Class['sirikata_cluster::types']
}
