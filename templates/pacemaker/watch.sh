# shellcheck shell=sh
# Functions that watch the resource $id until $end, in seconds of uptime.  crm_mon(8), crmadmin(8)
# settled: whether nothing has been under way in the cluster for a moment, so that to wait longer is of no use.  The
# coordinator needs a moment to notice a change, hence three looks; calm=0 starts them anew.
calm=0
# where: prints the node that runs it, and none where its last operation failed.
where() {
  crm_mon -1 --output-as=text --include=none,resources 2>/dev/null |
    sed -n "s/^.*\* ${id}[[:space:]].*:[[:space:]]*Started \([^ ]*\).*/\1/p"
}
active() { crm_resource --quiet --locate --resource "$id" 2>/dev/null || :; }
reasons() {
  crm_mon -1 --output-as=text --include=none,failures 2>/dev/null |
    grep -F "* $id " | sed 's/^ *\* //' | tail -n 3
}
settled() {
  dc=$(crmadmin --quiet --dc_lookup 2>/dev/null) || dc=
  case $(crmadmin --quiet --status "${dc:-none}" 2>/dev/null) in *S_IDLE*) calm=$((calm + 1)) ;; *) calm=0 ;; esac
  [ "$calm" -ge 3 ]
}
given_up() { [ "$(uptime)" -ge "$end" ] || settled; }
# broken MESSAGE: fails with it and with what the resource agent said.
broken() { said=$(reasons); fail "$1${said:+: $said}"; }
