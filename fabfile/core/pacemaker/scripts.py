"""What scripts for `sh` have in common that a member runs as root to change the cluster's configuration, or to watch it.

A change of the configuration is made on a copy and applied as one patch, which the cluster refuses when something
was changed meanwhile (its version is not the copy's); then it is made anew on what there is by then, as long as there
is time.  So it is whole or not at all, and what others changed stays.

Man pages: cibadmin(8), crm_diff(8), crm_resource(8), crm_mon(8), crmadmin(8).
"""

import shlex
from collections.abc import Sequence

_BASE = r"""
set -eu
export LC_ALL=C
fail() { printf '%s\n' "$*" >&2; exit 1; }
uptime() { read -r up rest </proc/uptime; printf '%s\n' "${up%%.*}"; }
command -v cibadmin >/dev/null || fail 'pacemaker is not installed'
last() { printf '%s\n' "$1" | tail -n 1; }
has() { cibadmin --query --xpath "$1" >/dev/null 2>&1; }
exists() { has "//resources//primitive[@id='$id']"; }
told() { crm_resource --resource "$id" --meta --set-parameter target-role --parameter-value "$1" >/dev/null; }
"""

EXISTS = r"""
exists || fail "the cluster has no resource $id"
"""

# change COMMAND...: runs it with CIB_file set to a copy of the configuration, and applies what it changed there.
# Every result of an operation anywhere is a new version too, so a busy cluster refuses many a try: as long as versions
# come, it goes on until its time is over.  What is refused though nothing was changed is given twenty tries.
_CHANGE = r"""
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
change() {
  over=$(( $(uptime) + patience )) tries=0 version=
  while :; do
    cibadmin --query >"$dir/old.xml" 2>"$dir/said" || fail "the cluster does not answer: $(tail -n 1 "$dir/said")"
    now=$(head -n 1 "$dir/old.xml")
    [ "$now" = "$version" ] || tries=0
    version=$now tries=$((tries + 1))
    cp "$dir/old.xml" "$dir/new.xml"
    (export CIB_file="$dir/new.xml" && "$@") || exit 1
    code=0
    crm_diff --cib --original "$dir/old.xml" --new "$dir/new.xml" >"$dir/patch.xml" 2>"$dir/said" || code=$?
    case $code in 0) return 0 ;; 1) ;; *) fail "crm_diff: $(tail -n 1 "$dir/said")" ;; esac
    cibadmin --patch --sync-call --xml-file "$dir/patch.xml" 2>"$dir/said" && return 0
    [ "$tries" -lt 20 ] && [ "$(uptime)" -lt "$over" ] || break
    sleep 0.1
  done
  fail "the cluster refuses the change: $(tail -n 1 "$dir/said")"
}
erase() {
  ! has "$1" || said=$(cibadmin --delete-all --force --xpath "$1" 2>&1) || fail "cannot remove $id: $(last "$said")"
}
"""

# where: the node that runs it, soundly.  settled: nothing has been under way in the cluster for a moment, so that
# waiting on is of no use.  The coordinator needs a moment to notice a change, hence three looks.
WATCH = r"""
calm=0
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
broken() { said=$(reasons); fail "$1${said:+: $said}"; }
"""


def changing(seconds: int) -> str:
    """What changes the configuration, and how long it tries when others change it too."""
    return f"patience={seconds:d}\n{_CHANGE}"


def named(service_ids: Sequence[str], *attributes: str) -> str:
    """That one of the attributes, by default `id`, is one of them."""
    return any_of([f"@{attribute}='{one}'" for attribute in attributes or ("id",) for one in service_ids])


def any_of(conditions: Sequence[str]) -> str:
    """A condition of an XPath, as a word of the shell."""
    return shlex.quote(" or ".join(conditions))


def several(service_ids: Sequence[str], *parts: str) -> str:
    """A script that names each of them `id` in turn."""
    return script("", f"ids={shlex.quote(' '.join(service_ids))}\n", *parts)


def script(service_id: str, *parts: str) -> str:
    """A script that names it `id`."""
    return _BASE + f"id={shlex.quote(service_id)}\n" + "".join(parts)
