# frozen_string_literal: true

# Whether the tool has made this machine a member.  Until then nothing may start corosync or pacemaker: the first start of
# a cluster is seeded.
Facter.add(:sirikata_cluster_formed) do
  setcode { File.exist?('/var/lib/sirikata-cluster/formed') }
end
