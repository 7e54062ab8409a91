# shellcheck shell=sh
# Writes the file or folder $src to standard output as a tar stream.  The last lines of standard error are tar's exit code and the
# checksum of the stream: `tar 0`, then a line of sha256sum(1).
[ -e "$src" ] || fail "$src does not exist, or $(id -un) may not see it (--sudo reads as root)"
src=$(readlink -f -- "$src")
if [ -d "$src" ]; then
  from=$src what=.
elif [ -f "$src" ]; then
  from=${src%/*}/ what=./${src##*/}
else
  fail "$src is neither a file nor a folder"
fi
[ -r "$src" ] || fail "$(id -un) may not read $src (--sudo reads as root)"
exec 4>&1
{
  {
    code=0
    tar -c -f - --format=gnu --hard-dereference -C "$from" -- "$what" || code=$?
    echo "tar $code" >&2
  } | tee /dev/fd/3 >&4
} 3>&1 | sha256sum >&2
