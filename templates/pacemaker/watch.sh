# shellcheck shell=sh
# Functions that watch the resource $id until $end, in seconds of uptime.  crm_mon(8), crmadmin(8)
# settled: whether nothing has been under way in the cluster for a moment, so that waiting longer changes nothing.  The
# coordinator needs a moment to notice a change, hence three looks; calm=0 starts them anew.
calm=0
# look SECTION: what crm_mon says of it; what cannot be asked now is asked again, for some seconds.
look() {
  tries=0
  until seen=$(crm_mon -1 --output-as=text --include="none,$1" 2>/dev/null); do
    tries=$((tries + 1))
    [ "$tries" -lt 10 ] || fail 'the cluster does not answer'
    sleep 0.5
  done
  printf '%s\n' "$seen"
}
# where: prints the node that runs it, and none where its last operation failed.
where() {
  look resources | sed -n "s/^.*\* ${id}[[:space:]].*:[[:space:]]*Started \([^ ]*\).*/\1/p"
}
# active: prints the nodes where it is active.
active() {
  tries=0
  while :; do
    code=0
    seen=$(crm_resource --quiet --locate --resource "$id" 2>/dev/null) || code=$?
    case $code in 0 | 105) break ;; esac
    tries=$((tries + 1))
    [ "$tries" -lt 10 ] || fail 'the cluster does not answer'
    sleep 0.5
  done
  printf '%s\n' "$seen"
}
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
