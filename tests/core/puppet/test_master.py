"""The files of a cluster on its Puppet master."""

import io
import shutil
import subprocess
import tarfile

import pytest
import yaml

from fabfile.core.puppet import master as puppet
from fabfile.core.puppet.files import File, Layout, pack

from .values import DATA, SECRETS, spec

TREE = {
    "environment/manifests/site.pp": b"",
    "modules/sirikata_cluster/manifests/init.pp": b"class",
    "master/x": b"",
}


def test_secrets_are_readable_by_the_server_only() -> None:
    files = {file.path: file for file in puppet.cluster_files(spec(), Layout(), SECRETS, "totem {}", TREE)}
    token = files["/etc/puppet/clusters/web-1/token"]
    key = files["/etc/puppet/clusters/web-1/files/authkey"]
    assert (token.content.decode().strip(), key.content) == (SECRETS.token, SECRETS.authkey)
    assert {(file.mode, file.group) for file in (token, key)} == {(0o640, "puppet")}
    holders = [file.path for file in files.values() if SECRETS.token.encode() in file.content]
    assert holders == [token.path]


def test_a_cluster_has_its_own_environment_and_module() -> None:
    paths = [file.path for file in puppet.cluster_files(spec(), Layout(), SECRETS, "", TREE)]
    assert "/etc/puppet/code/environments/web_1/manifests/site.pp" in paths
    assert "/etc/puppet/code/environments/web_1/modules/sirikata_cluster/manifests/init.pp" in paths
    assert not [path for path in paths if path.endswith("/x")]


def test_a_clusters_files_need_no_restart_and_an_own_masters_settings_do() -> None:
    assert not any(file.restart for file in puppet.cluster_files(spec(), Layout(), SECRETS, "", TREE))
    assert all(file.restart for file in puppet.own_files(spec(), Layout()))


def test_secrets_do_not_show() -> None:
    assert SECRETS.token not in repr(SECRETS)


def test_hiera_data_name_the_archive_only_when_there_is_one() -> None:
    assert yaml.safe_load(puppet.hiera_data(spec())) == {"sirikata_cluster::provider": "local"}
    data = yaml.safe_load(puppet.hiera_data(spec(types=("default", "redis", "cdn"))))
    assert data["sirikata_cluster::types"] == {"node1": "redis", "node2": "cdn"}
    data = yaml.safe_load(
        puppet.hiera_data(spec(sirikata_url="https://a/b.tar.bz2", sirikata_sha256="0" * 64))
    )
    assert data["sirikata_cluster::sirikata_url"] == "https://a/b.tar.bz2"
    assert data["sirikata_cluster::sirikata_sha256"] == "0" * 64


def test_a_pack_holds_modes_and_groups_and_is_the_same_each_time() -> None:
    files = [File(path="/etc/x/token", content=b"t", mode=0o640, group="puppet", restart=True)]
    packed = pack(files, puppet.cluster_folders(spec(), Layout()))
    assert packed == pack(files, puppet.cluster_folders(spec(), Layout()))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        member = tar.getmember("root/etc/x/token")
        texts = {name: tar.extractfile(name).read().decode() for name in ("files", "folders", "restart")}  # type: ignore[union-attr]
    assert (member.mode, member.uname, member.gname) == (0o640, "root", "puppet")
    assert texts["files"] == texts["restart"] == "/etc/x/token\n"
    assert "750 root puppet /etc/puppet/clusters/web-1/files\n" in texts["folders"]


def test_what_putting_them_changed() -> None:
    assert puppet.parse_put("changed /a\nchanged /b c\nrestarted\n") == (("/a", "/b c"), True)
    assert puppet.parse_put("") == ((), False)


@pytest.mark.skipif(not shutil.which("puppet-lint"), reason="needs puppet-lint")
def test_the_manifests_are_clean() -> None:
    manifests = sorted(map(str, DATA.rglob("*.pp")))
    done = subprocess.run(["puppet-lint", *manifests], cwd=DATA, capture_output=True, text=True, check=False)
    assert done.stdout == ""
