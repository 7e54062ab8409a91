# shellcheck shell=sh
# Adds and alters the services that are marked, whose configuration is on standard input, in one change, with roles of
# services that are to stop; remove.sh then takes those out.  Of what is altered, elements that are not among the kept
# ones go: parameters, the role, and constraints, whose ids start with the service's and a dot.
take
apply() {
  mark
  others="//resources//*[@id=$marked][not(@provider='sirikata' and @type='service')]"
  ! has "$others" ||
    fail "the cluster already has a resource $(names "$others"), which is not a service of this tool"
  erase "//resources//primitive[@id=$marked]/instance_attributes/nvpair[not(@id=$kept)]"
  erase "//resources//primitive[@id=$marked]/meta_attributes/nvpair[@name='target-role']"
  erase "//resources//primitive[@id=$marked]/meta_attributes[not(*)]"
  erase "//constraints/*[substring-before(@id,'.')=$marked][not(@id=$kept)]"
  put "$dir/wanted.xml"
  unmark
}
change apply
