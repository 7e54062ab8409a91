# shellcheck shell=sh
# What every script that runs on a node starts with: it stops at the first failure, and `fail` says why.
set -eu
export LC_ALL=C
fail() { printf '%s\n' "$*" >&2; exit 1; }
# Whole seconds since boot: the clock of a node may be set while a script waits.
uptime() { read -r up rest </proc/uptime; printf '%s\n' "${up%%.*}"; }
