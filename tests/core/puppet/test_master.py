"""Puppet: what a master's files hold, the programs that it calls, the scripts, and what a run of an agent tells."""

import base64
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from fabfile.core.puppet import master as puppet
from fabfile.core.puppet.files import MARK, File
from fabfile.core.puppet.master import Layout, Look, Secrets
from fabfile.core.puppet.shared import set_ini
from fabfile.core.spec.cluster import ClusterSpec
from tests.paths import ROOT

DATA = ROOT / "data" / "puppet"
SECRETS = Secrets("5ec2e7" * 10, bytes(range(256)))
TREE = {
    "environment/manifests/site.pp": b"",
    "modules/sirikata_cluster/manifests/init.pp": b"class",
    "master/x": b"",
}


def spec(**changes: object) -> ClusterSpec:
    return ClusterSpec(**{"name": "web-1", "uid": "3f2a", "size": 3, **changes})  # type: ignore[arg-type]


def settings(**changes: str) -> dict[str, str]:
    values = {
        "confdir": "/etc/puppet",
        "certname": "puppet.example.edu",
        "node_terminus": "plain",
        "external_nodes": "none",
        "autosign": "/etc/puppet/autosign.conf",
        "fileserverconfig": "/etc/puppet/fileserver.conf",
        "environmentpath": "/etc/puppet/code/environments",
    }
    return {**values, **changes}


# The master's files


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
    told = yaml.safe_load(puppet.hiera_data(spec(types=("default", "redis", "cdn"))))
    assert told["sirikata_cluster::types"] == {"node1": "redis", "node2": "cdn"}
    told = yaml.safe_load(
        puppet.hiera_data(spec(sirikata_url="https://a/b.tar.bz2", sirikata_sha256="0" * 64))
    )
    assert told["sirikata_cluster::sirikata_url"] == "https://a/b.tar.bz2"
    assert told["sirikata_cluster::sirikata_sha256"] == "0" * 64


def test_a_pack_holds_modes_and_groups_and_is_the_same_each_time() -> None:
    files = [File(path="/etc/x/token", content=b"t", mode=0o640, group="puppet", restart=True)]
    packed = puppet.pack(files, puppet.cluster_folders(spec(), Layout()))
    assert packed == puppet.pack(files, puppet.cluster_folders(spec(), Layout()))
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        member = tar.getmember("root/etc/x/token")
        texts = {name: tar.extractfile(name).read().decode() for name in ("files", "folders", "restart")}  # type: ignore[union-attr]
    assert (member.mode, member.uname, member.gname) == (0o640, "root", "puppet")
    assert texts["files"] == texts["restart"] == "/etc/x/token\n"
    assert "750 root puppet /etc/puppet/clusters/web-1/files\n" in texts["folders"]


def test_what_putting_them_changed() -> None:
    assert puppet.parse_put("changed /a\nchanged /b c\nrestarted\n") == (("/a", "/b c"), True)
    assert puppet.parse_put("") == ((), False)


# A master that serves others too


def look(files: dict[str, str] | None = None, **changes: str) -> Look:
    return Look(settings(**changes), files or {})


def test_a_plain_master_is_taken() -> None:
    assert puppet.problems(look(), spec(), "host") == []


def test_a_master_of_ours_is_taken_again() -> None:
    ours = look(
        {"fileserver.conf": "[cluster]\n  path /etc/puppet/clusters/%d/files\n", "cluster": "web-1-3f2a\n"},
        node_terminus="exec",
        external_nodes="/etc/puppet/sirikata-cluster/classify",
        autosign="/etc/puppet/sirikata-cluster/autosign",
    )
    assert puppet.problems(ours, spec(), "host") == []
    assert [file.path for file in puppet.shared_files(ours)] == ["/etc/puppet/sirikata-cluster/shared"]


def test_everything_in_the_way_is_told_at_once() -> None:
    found = puppet.problems(
        look(
            {"fileserver.conf": "[cluster]\npath /srv\n", "cluster": "web-1-0000\n", "environment.conf": "x"},
            node_terminus="exec",
            external_nodes="/usr/local/bin/theirs",
            autosign="true",
        ),
        spec(),
        "host.example.edu",
    )
    assert len(found) == 6
    assert "/usr/local/bin/theirs" in found[0]
    assert "autosign = true" in found[1]
    assert "/srv" in found[2]
    assert "web-1-0000" in found[3]


def test_names_that_are_signed_already_are_in_the_way() -> None:
    assert puppet.problems(look({"autosign": "# none\n"}), spec(), "host") == []
    assert "*.example.edu" in puppet.problems(look({"autosign": "*.example.edu\n"}), spec(), "host")[0]


def test_what_a_shared_master_has_stays() -> None:
    conf = "[main]\ncertname = puppet.example.edu\n[master]\ncode_id_command = /x\n"
    files = {
        file.path: file
        for file in puppet.shared_files(look({"puppet.conf": conf, "fileserver.conf": "[a]\npath /b"}))
    }
    text = files["/etc/puppet/puppet.conf"].content.decode()
    assert all(line in text.splitlines() for line in conf.splitlines())
    assert text.index("[master]") < text.index("node_terminus = exec")
    assert files["/etc/puppet/fileserver.conf"].content.decode().startswith("[a]\npath /b\n\n")
    assert "[server]" not in text


def test_a_section_is_added_where_there_is_none() -> None:
    assert set_ini("", "server", {"a": "b"}) == f"[server]\n# {MARK}\na = b\n"
    assert set_ini("[main]\nx = y\n", "server", {"a": "b"}) == f"[main]\nx = y\n\n[server]\n# {MARK}\na = b\n"


def test_a_look_is_read() -> None:
    text = base64.b64encode(b"[main]\n").decode()
    seen = puppet.parse_look(
        f"confdir = /etc/puppetlabs/puppet\nenvironmentpath = /a:/b\nfileserverconfig = /c\nfile puppet.conf {text}\nfile cluster \n"
    )
    assert seen.files == {"puppet.conf": "[main]\n", "cluster": ""}
    assert (seen.layout.environments, seen.layout.ruby) == ("/a", "/opt/puppetlabs/puppet/bin/ruby")


# The programs that the server calls


@pytest.fixture
def master(tmp_path: Path) -> Path:
    """A folder as a master has it, with the cluster `demo`."""
    tools = tmp_path / "sirikata-cluster"
    tools.mkdir()
    for name in ("autosign", "classify"):
        shutil.copy(DATA / "master" / name, tools)
    cluster = tmp_path / "clusters" / "demo"
    cluster.mkdir(parents=True)
    (cluster / "environment").write_text("demo\n")
    (cluster / "token").write_text("right\n")
    return tools


def classify(master: Path, name: str) -> tuple[int, str]:
    done = subprocess.run(["sh", str(master / "classify"), name], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_a_nodes_environment_is_its_clusters(master: Path) -> None:
    assert classify(master, "node0.demo") == (0, "environment: demo\n")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "demo",
        "node0.other",
        "node0.demo.org",
        "../demo",
        "x/../demo",
        "node0..demo",
        ".demo",
        "NODE.demo",
        "-x.demo",
        "a.-demo",
        "node0.demo\n",
    ],
)
def test_other_names_have_none(master: Path, name: str) -> None:
    assert classify(master, name) == (1, "")


def test_a_shared_server_leaves_other_nodes_as_they_are(master: Path) -> None:
    (master / "shared").touch()
    assert classify(master, "www.example.edu") == (0, "{}\n")
    assert classify(master, "node0.demo") == (0, "environment: demo\n")


needs_openssl = pytest.mark.skipif(
    not (shutil.which("openssl") and Path("/usr/bin/ruby").exists()), reason="needs openssl and ruby"
)


def request(folder: Path, name: str, token: str | None, cluster: str | None, more: str = "") -> bytes:
    """A certificate request, as an agent makes it."""
    extension = f"1.3.6.1.4.1.34380.1.1.16 = ASN1:UTF8String:{cluster}\n" if cluster else ""
    (folder / "req.cnf").write_text(
        "[req]\nprompt = no\ndistinguished_name = dn\n"
        + ("attributes = at\n" if token else "")
        + ("req_extensions = ex\n" if extension or more else "")
        + f"[dn]\nCN = {name}\n[at]\nchallengePassword = {token or 'none'}\n[ex]\n{extension}{more}"
    )
    command = [
        "openssl",
        "req",
        "-new",
        "-newkey",
        "rsa:1024",
        "-nodes",
        "-keyout",
        "/dev/null",
        "-config",
        "req.cnf",
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout


def signs(master: Path, name: str, request: bytes) -> tuple[bool, str]:
    done = subprocess.run([str(master / "autosign"), name], input=request, capture_output=True, check=False)
    assert done.returncode in (0, 1)
    assert b"right" not in done.stdout + done.stderr
    return done.returncode == 0, done.stderr.decode()


@needs_openssl
def test_a_request_with_the_clusters_token_is_signed(master: Path, tmp_path: Path) -> None:
    assert signs(master, "node0.demo", request(tmp_path, "node0.demo", "right", "demo")) == (True, "")


@needs_openssl
@pytest.mark.parametrize(
    ("name", "asked", "token", "cluster", "more", "why"),
    [
        ("node0.demo", "node0.demo", "wrong", "demo", "", "wrong token"),
        ("node0.demo", "node0.demo", None, "demo", "", "wrong token"),
        ("node0.demo", "node0.demo", "right", None, "", "another cluster"),
        ("node0.demo", "node0.demo", "right", "other", "", "another cluster"),
        ("node0.demo", "node1.demo", "right", "demo", "", "another name"),
        ("node0.other", "node0.other", "right", "demo", "", "no token of that cluster"),
        ("../x.demo", "node0.demo", "right", "demo", "", "no <node>.<cluster>"),
        ("node0.demo.org", "node0.demo.org", "right", "demo", "", "no <node>.<cluster>"),
        ("node0.demo", "node0.demo", "right", "demo", "subjectAltName = DNS:puppet\n", "it asks for"),
        (
            "node0.demo",
            "node0.demo",
            "right",
            "demo",
            "1.3.6.1.4.1.34380.1.3.39 = ASN1:UTF8String:true\n",
            "it asks for",
        ),
    ],
)
def test_other_requests_are_refused(
    master: Path,
    tmp_path: Path,
    name: str,
    asked: str,
    token: str | None,
    cluster: str | None,
    more: str,
    why: str,
) -> None:
    signed, said = signs(master, name, request(tmp_path, asked, token, cluster, more))
    assert not signed
    assert why in said


@needs_openssl
def test_a_damaged_request_is_refused(master: Path, tmp_path: Path) -> None:
    lines = request(tmp_path, "node0.demo", "right", "demo").decode().splitlines()
    broken = lines[-2].swapcase()
    assert not signs(master, "node0.demo", "\n".join([*lines[:-2], broken, lines[-1]]).encode())[0]
    assert not signs(master, "node0.demo", b"")[0]


# Scripts


def scripts() -> dict[str, str]:
    server = "puppet.example.edu"
    return {
        "put on its own": puppet.put_script(spec(), Layout(), own=True),
        "put on another's": puppet.put_script(spec(), Layout(), own=False),
        "look": puppet.look_script(spec()),
        "forget": puppet.forget_script(["node0.web-1", "node1.web-1"]),
        "publish": puppet.publish_script(spec()),
        "remove": puppet.remove_script(spec()),
        "run": puppet.run_script(),
        "set up": puppet.agent_setup(spec(), server=server, token=SECRETS.token),
        "set up by name": puppet.agent_setup(spec(puppet_master=server), server=server, token="t", name="db"),
    }


@pytest.mark.parametrize("what", list(scripts()))
def test_scripts_are_sound(what: str) -> None:
    script = scripts()[what]
    done = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
    assert done.stderr == ""
    if shutil.which("shellcheck"):
        # SC1007: `name= other=` empties a variable on purpose.
        command = ["shellcheck", "--shell=sh", "--exclude=SC1007", "-"]
        done = subprocess.run(command, input=script, text=True, capture_output=True, check=False)
        assert done.stdout == ""


@pytest.mark.parametrize("what", [what for what in scripts() if not what.startswith("set up")])
def test_scripts_hold_no_secret(what: str) -> None:
    assert SECRETS.token not in scripts()[what]


def test_the_settings_of_an_agent_are_the_same_after_a_second_time(tmp_path: Path) -> None:
    conf = tmp_path / "puppet.conf"
    conf.write_text("# theirs\n[agent]\nenvironment = old\npluginsync = true\n")
    setup = puppet.agent_setup(spec(), server="puppet.web-1", token=SECRETS.token, name="node0")
    # Of the script, what writes files, in a folder that is ours.
    head, tail = setup.split("# Debian's packages keep", 1)
    body = tail[tail.index("conf=$confdir") : tail.index("systemctl --quiet enable")]
    script = f"set -eu\nmark='# {MARK}'\nconfdir={tmp_path} facter={tmp_path}/facter.conf\n{body}"
    texts = []
    for _ in range(2):
        subprocess.run(["sh", "-c", script], check=True)
        texts.append({path.name: path.read_text() for path in tmp_path.iterdir()})
    assert texts[0] == texts[1]
    written = texts[0]["puppet.conf"]
    assert "certname = node0.web-1\nserver = puppet.web-1\n" in written
    assert written.startswith("# theirs\n[agent]\npluginsync = true\n")
    assert "environment" not in written
    assert yaml.safe_load(texts[0]["csr_attributes.yaml"])["extension_requests"] == {"pp_cluster": "web-1"}
    assert (tmp_path / "csr_attributes.yaml").stat().st_mode & 0o777 == 0o600
    assert SECRETS.token not in head


def test_an_agent_of_another_server_is_not_taken_over(tmp_path: Path) -> None:
    (tmp_path / "puppet.conf").write_text("[main]\nserver = puppet.example.edu\n")
    setup = puppet.agent_setup(spec(), server="puppet.web-1", token="t", name="node0")
    body = setup[setup.index("conf=$confdir") : setup.index("# Takes the place")]
    script = f"set -eu\nmark='# {MARK}'\nconfdir={tmp_path}\n{body}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "puppet.example.edu" in done.stderr


# Runs of an agent

REPORT = """--- !ruby/object:Puppet::Transaction::Report
metrics:
  time: !ruby/object:Puppet::Util::Metric
    name: time
    values:
    - - total
      - Total
      - 3.25
logs:
- !ruby/object:Puppet::Util::Log
  level: !ruby/sym {level}
  message: {message}
status: {status}
environment: web_1
resource_statuses:
  File[/etc/motd]: !ruby/object:Puppet::Resource::Status
    resource: File[/etc/motd]
    changed: {changed}
    failed: false
    skipped: false
    events:
    - !ruby/object:Puppet::Transaction::Event
      message: "content changed"
      status: success
  Exec[x]: !ruby/object:Puppet::Resource::Status
    resource: Exec[x]
    changed: false
    failed: {failed}
    skipped: false
    events:
    - !ruby/object:Puppet::Transaction::Event
      message: "x returned 1"
      status: failure
  Service[y]: !ruby/object:Puppet::Resource::Status
    resource: Service[y]
    changed: false
    failed: false
    skipped: {failed}
    events: []
"""


def run(code: int, *, log: str = "", **values: str) -> puppet.AgentRun:
    defaults = {
        "level": "notice",
        "message": "done",
        "status": "changed",
        "changed": "true",
        "failed": "false",
    }
    return puppet.parse_run("node0", f"exit {code}\n" + REPORT.format(**{**defaults, **values}), log)


def test_a_run_that_changed_something() -> None:
    done = run(2)
    assert (done.outcome, done.seconds, done.environment) == ("changed", 3.25, "web_1")
    assert [str(change) for change in done.changed] == ["File[/etc/motd]: content changed"]
    assert (done.failed, done.skipped, done.errors) == ((), (), ())


def test_a_run_that_changed_nothing() -> None:
    done = run(0, status="unchanged", changed="false")
    assert (done.outcome, done.changed) == ("unchanged", ())


def test_a_failed_resource_is_told_in_its_own_words() -> None:
    done = run(6, status="failed", failed="true")
    assert done.outcome == "failed"
    problem, said = puppet.explain(done, "web-1")
    assert "1 of its resources" in problem
    assert "left 1 out" in problem
    assert said == "Exec[x]: x returned 1"


def test_a_catalog_that_does_not_compile_is_told_in_the_masters_words() -> None:
    words = "Could not retrieve catalog from remote server: Error 500 on SERVER: Evaluation Error: Unknown function"
    problem, said = puppet.explain(run(1, level="err", message=repr(words), status="failed"), "web-1")
    assert problem == "the Puppet master has no catalog for it"
    assert words in said


@pytest.mark.parametrize(
    ("log", "problem"),
    [
        ("Info: Certificate for node0.web-1 has not been signed yet\nExiting now because", "does not sign"),
        ("Error: certificate verify failed [self-signed certificate in certificate chain]", "trusts another"),
        ("Error: SSL_read: ssl/tls alert certificate unknown (SSL alert number 46)", "no longer takes"),
        ("Error: Failed to open TCP connection to puppet:8140 (Connection refused)", "does not answer"),
        ("Error: something new", "exited with 1"),
    ],
)
def test_a_run_without_a_report_is_explained(log: str, problem: str) -> None:
    done = puppet.parse_run("node0", "exit 1\n", log)
    assert done.outcome == "failed"
    told, said = puppet.explain(done, "web-1")
    assert problem in told
    assert said.splitlines()[0] in log
    assert "{" not in told


@pytest.mark.parametrize("out", ["", "exit 1\n--- [", "exit 0\n--- text", "exit x\n"])
def test_broken_output_is_a_failed_or_an_empty_run(out: str) -> None:
    done = puppet.parse_run("node0", out, "Error: no space left")
    assert done.changed == ()
    assert done.outcome == ("unchanged" if out.startswith("exit 0") else "failed")


def test_many_and_long_words_are_shortened() -> None:
    errors = tuple(f"{number} " + "x" * 900 for number in range(9))
    _, said = puppet.explain(puppet.AgentRun(node="n", exit=1, outcome="failed", errors=errors), "web-1")
    assert said.endswith("... and 5 more")
    assert max(map(len, said.splitlines())) < 350


@pytest.mark.skipif(not shutil.which("puppet-lint"), reason="needs puppet-lint")
def test_the_manifests_are_clean() -> None:
    manifests = sorted(map(str, DATA.rglob("*.pp")))
    done = subprocess.run(["puppet-lint", *manifests], cwd=DATA, capture_output=True, text=True, check=False)
    assert done.stdout == ""
