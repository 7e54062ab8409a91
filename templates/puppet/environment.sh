# shellcheck shell=sh
# What Puppet's programs need: their folders, a locale that knows UTF-8, and files that others may read.
umask 022
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/puppetlabs/bin
export PATH LC_ALL=C.UTF-8
