# shellcheck shell=sh
# Removes the roles of the services that are marked, and gives those in the configuration on standard input theirs.
take
set_roles() {
  mark
  erase "//resources//primitive[@id=$marked]/meta_attributes/nvpair[@name='target-role']"
  erase "//resources//primitive[@id=$marked]/meta_attributes[not(*)]"
  [ ! -s "$dir/wanted.xml" ] || put "$dir/wanted.xml"
  unmark
}
change set_roles
