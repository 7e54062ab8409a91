"""The three rules of the layers, read from the sources."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGE = ROOT / "fabfile"
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = {"core": 0, "effects": 1, "flows": 2, "library": 3, "console": 3, "tasks": 4}
# Modules that may be imported inside a function, because `fab --list` must not pay for them.
SLOW = {"boto3", "botocore", "jinja2", "logging", "networkx", "platformdirs", "rich"}


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def layer(path: Path) -> str | None:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return first if first in LAYERS else None


def imports(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Every imported module, relative ones resolved to a path inside the package."""
    package = ("fabfile", *path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield node, module
            yield from ((node, f"{module}.{alias.name}") for alias in node.names if node.level)


@pytest.mark.parametrize("path", [m for m in MODULES if layer(m)], ids=name)
def test_imports_point_down(path: Path) -> None:
    own = LAYERS[layer(path) or ""]
    for _, module in imports(path):
        parts = module.split(".")
        if parts[0] == "fabfile" and len(parts) > 1 and parts[1] in LAYERS:
            assert LAYERS[parts[1]] <= own, f"{name(path)} imports {module}, which is above it"


def test_no_import_goes_round() -> None:
    known = {"fabfile." + name(m)[:-3].replace("/", ".").removesuffix(".__init__"): m for m in MODULES}
    graph = {
        module: {imported for _, imported in imports(path) if imported in known and imported != module}
        for module, path in known.items()
        # The namespace and the lazy table of recipes name everything below them; nothing below names them.
        if module != "fabfile" and not (module.startswith("fabfile.flows") and path.name == "__init__.py")
    }
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, f"a cycle: {' -> '.join([*above, module])}"
        if module in done:
            return
        for imported in graph.get(module, ()):
            # A package's __init__ is imported by all of its modules and imports them only where it is a
            # table.
            if not module.startswith(imported + "."):
                visit(imported, (*above, module))
        done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_inside_functions_only_save_start_up_time(path: Path) -> None:
    tree = ast.parse(path.read_text())
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    found = {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found = {(node.module or ".").split(".")[0]}
                else:
                    continue
                assert found <= SLOW, f"{name(path)}: {function.name} imports {found}"


FORBIDDEN_IN_CORE = {
    "boto3",
    "datetime",
    "fabric",
    "invoke",
    "os",
    "paramiko",
    "random",
    "secrets",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib",
}


@pytest.mark.parametrize("path", [m for m in MODULES if layer(m) == "core"], ids=name)
def test_core_is_pure(path: Path) -> None:
    for _, module in imports(path):
        assert module.split(".")[0] not in FORBIDDEN_IN_CORE, f"{name(path)} imports {module}"
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not calls & {"open", "print", "input"}, f"{name(path)} does I/O"


# Each effect's modules or calls, and the one place that may use them.
DOORS = {
    "SSH": (
        {"paramiko", "fabric"},
        {"tasks/__init__.py", "library/machines.py"}
        | {
            f"effects/ssh/{module}.py"
            for module in (
                "channel",
                "config",
                "connection",
                "known_hosts",
                "login",
                "options",
                "private_keys",
                "reasons",
                "runner",
            )
        },
    ),
    "threads": (
        {"concurrent.futures", "threading"},
        # A report and lines are written to from every thread, and so hold a lock.
        {f"effects/ssh/{module}.py" for module in ("channel", "fan_out", "pool")}
        | {"effects/waiting.py", "tasks/show/progress.py", "tasks/show/lines.py"}
        # What a thread raises.
        | {"console/hooks.py"},
    ),
    "clouds": ({"boto3", "botocore"}, {f"effects/providers/ec2/{module}.py" for module in ("api", "errors")}),
    "programs": ({"subprocess"}, {"effects/host.py"}),
    "randomness": ({"secrets", "random", "uuid"}, {"effects/keys.py"}),
    "state on disk": (
        {"tempfile", "filelock", "platformdirs"},
        {f"effects/store/{module}.py" for module in ("files", "home", "lock")},
    ),
}


@pytest.mark.parametrize("effect", DOORS)
def test_each_effect_has_one_door(effect: str) -> None:
    modules, doors = DOORS[effect]
    for path in MODULES:
        used = {module for _, module in imports(path)} & modules
        assert not used or name(path) in doors, f"{name(path)} uses {used}"


@pytest.mark.parametrize("path", [m for m in MODULES if layer(m) == "tasks"], ids=name)
def test_tasks_know_flows_by_their_types_only(path: Path) -> None:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            assert "flows" not in ast.unparse(node), f"{name(path)}:{node.lineno} imports flows"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_locks_are_taken_in_the_library(path: Path) -> None:
    taken = {"changing", "locked", "lock"} & {
        node.func.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not taken or name(path) in ("flows/session.py", "library/opening.py", "library/ec2.py"), name(path)


@pytest.mark.parametrize("path", [m for m in MODULES if layer(m) != "console"], ids=name)
def test_only_the_console_prints(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"{name(path)}:{node.lineno} prints"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_text_is_read_in_one_encoding_whatever_the_locale(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        called = getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""
        if isinstance(node, ast.Call) and (
            called == "write_text" or (called == "read_text" and not node.args)
        ):
            assert any(word.arg == "encoding" for word in node.keywords), f"{name(path)}:{node.lineno}"


def test_a_folder_holds_about_a_dozen_modules() -> None:
    folders = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert {name(folder): count for folder, count in folders.items() if count > 13} == {}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 345, f"{name(path)} has {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            first = (
                node.body[1].lineno if ast.get_docstring(node) and len(node.body) > 1 else node.body[0].lineno
            )
            length = (node.end_lineno or first) - first + 1
            assert length <= 42, f"{name(path)}: {node.name} has {length} lines"


def _tasks() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in (PACKAGE / "tasks").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            decorators = [ast.unparse(d) for d in getattr(node, "decorator_list", [])]
            if isinstance(node, ast.FunctionDef) and any(d.startswith("task") for d in decorators):
                yield f"{path.name}:{node.name}", node


@pytest.mark.parametrize(
    ("where", "node"), list(_tasks()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_task_is_short_and_says_what_it_does(where: str, node: ast.FunctionDef) -> None:
    first_line = (ast.get_docstring(node) or "").partition("\n")[0]
    assert 0 < len(first_line) < 60, f"{where}: its first line must be an imperative under 60 characters"
    assert sum((s.end_lineno or s.lineno) - s.lineno + 1 for s in node.body[1:]) <= 14, f"{where} is too long"
