# shellcheck shell=sh
# Puts files in place.  Standard input: a tar with `files`, `folders`, `restart`, and the files themselves in root/.  Prints
# `changed PATH` for each that differed.  Sets `pending`, the file that says that the server must be restarted.
#   cluster confdir environments   the cluster's name; the server's folders
#   module                         the folder of the cluster's module: files that are not in the tar are removed from it
pending=$confdir/sirikata-cluster/restart-pending
# Left by a run that was killed: this one holds the lock.
rm -rf "$confdir"/.sirikata-cluster.*
stage=$(mktemp -d "$confdir/.sirikata-cluster.XXXXXX")
trap 'rm -rf "$stage"' EXIT
trap 'exit 129' HUP INT TERM PIPE
tar -xpf - -C "$stage" --same-owner

while read -r mode owner group path; do
  [ "$(stat -c '%a %U %G' "$path" 2>/dev/null)" = "$mode $owner $group" ] \
    || install -d -m "$mode" -o "$owner" -g "$group" "$path"
done <"$stage/folders"

# Once the folder of environments exists, the server wants this one in it, and cannot create it.
mkdir -p "$environments/production"

# Each file is renamed into place: it is always whole, and a request finds the old one or the new one.
while read -r path; do
  new=$stage/root$path
  if cmp -s "$new" "$path" && [ "$(stat -c '%a%U%G' "$new")" = "$(stat -c '%a%U%G' "$path")" ]; then continue; fi
  if grep -Fqx -- "$path" "$stage/restart"; then mkdir -p "${pending%/*}"; : >"$pending"; fi
  mkdir -p "${path%/*}"
  mv -f "$new" "$path"
  printf 'changed %s\n' "$path"
done <"$stage/files"

# Files of an older version of the module.
find "$module" -type f | while read -r path; do
  if ! grep -Fqx -- "$path" "$stage/files"; then rm -f "$path"; printf 'changed %s\n' "$path"; fi
done

# Refused requests of this cluster stay there, and keep a valid one of the same name out.
for ca in "$confdir/puppetserver" "$confdir/../puppetserver" /var/lib/puppet/ssl "$confdir/ssl"; do
  find "$ca/ca/requests" -name "*.$cluster.pem" -delete 2>/dev/null || true
done
