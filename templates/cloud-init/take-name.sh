# shellcheck shell=sh
# Gives this machine its host name by its place in the launch: EC2's meta-data has no names of nodes.  As root, at first boot.
#   names   of all machines of the launch, by their place
# shellcheck disable=SC2086  # words
set -- $names
index=$(cloud-init query --format '{{ ds.meta_data.ami_launch_index }}')
shift "$index"
hostnamectl set-hostname "$1"
sed -i '/^# sirikata-cluster begin/,/^# sirikata-cluster end/d' /etc/hosts
# Until first contact adds all machines; without this line sudo asks the network for its own name.
printf '%s\n' '# sirikata-cluster begin' "127.0.1.1 $1" '# sirikata-cluster end' >>/etc/hosts
