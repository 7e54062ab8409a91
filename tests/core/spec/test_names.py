"""Names of accounts, and of hosts, as Linux takes them."""

import pytest

from fabfile.core.spec.names import is_login_user, is_new_user, is_user

TAKEN = ["root", "_apt", "john.doe", "Svc_App", "svc$", "jane@example.edu", "Jane Doe", r"AD\jane", "-x", "é"]
NUMBERS = ["0", "1", "1234", "65534", "65536", "4294967294"]
NO_NUMBERS = ["-1", "01", "65535", "4294967295", "9" * 20]
NO_NAMES = ["", ".", "..", " a", "a ", "a:b", "a/b", "a\nb", "a\0", "\udce9", "x" * 256]


@pytest.mark.parametrize("name", [*TAKEN, *NUMBERS])
def test_a_user_may_have_any_name_and_number_that_systemd_takes(name: str) -> None:
    assert is_user(name)


@pytest.mark.parametrize("name", [*NO_NAMES, *NO_NUMBERS])
def test_what_no_user_can_be_is_refused(name: str) -> None:
    assert not is_user(name)


@pytest.mark.parametrize("name", ["root", "john.doe", "1234", "Jane Doe", r"AD\jane", "jane@example.edu"])
def test_ssh_logs_in_to_accounts_of_directories(name: str) -> None:
    assert is_login_user(name)


@pytest.mark.parametrize("name", ["-oProxyCommand=x", "a;b", "$(id)", "a\\", "a -b", "a'b", ""])
def test_ssh_takes_no_name_that_a_shell_could_misread(name: str) -> None:
    assert not is_login_user(name)


def test_an_account_that_is_created_has_a_usual_name() -> None:
    assert is_new_user("admin") and not is_new_user("1234") and not is_new_user("Jane Doe")
