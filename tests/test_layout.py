"""The layout of the code: which file may import which, and how long a file may be.

`docs/architecture.md` says what lies where, and why.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = ("adain", "benchmarks", "demo", "export", "tools")
# The doors, by which requests enter: the library knows none of them.
DOORS = ("adain.cli", "adain.server", "adain.demo", "benchmarks", "demo", "export", "tools")
LONGEST, LONGEST_TEST = 300, 400
# Tests of the project as a whole.
WHOLE = {"test_layout", "test_package"}
TORCH = {"torch", "torchvision", "onnxscript", "tensorboard"}
# What measures torch, beside what is below adain/learning.
MEASURE_TORCH = {
    "benchmarks.damaged",  # loads damaged checkpoints
    "benchmarks.machine",
    "benchmarks.torch_side",
    "benchmarks.gatys",
    "benchmarks.gatys_precision",
    "benchmarks.one_style",
    "benchmarks.style_estimates",
}


@cache
def modules() -> dict[str, Path]:
    """All files of the project by the name they are imported by."""
    found = {}
    for folder in CODE:
        for path in (ROOT / folder).rglob("*.py"):
            if "examples" in path.parts or "node_modules" in path.parts:
                continue
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(name: str) -> frozenset[str]:
    """What a file imports anywhere in it, but for type checkers alone."""

    def walk(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            return
        yield node
        for child in ast.iter_child_nodes(node):
            yield from walk(child)

    found = set()
    for node in walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{name}: a relative import"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in modules() else node.module)
    return frozenset(found)


def is_below(name: str, packages: tuple[str, ...] | set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_no_file_imports_itself_by_way_of_others() -> None:
    graph = {name: imports(name) & modules().keys() for name in modules()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_the_library_imports_no_door() -> None:
    for name in modules():
        if not is_below(name, DOORS) and name != "adain.__main__":
            doors = {other for other in imports(name) if is_below(other, DOORS)}
            assert not doors, f"{name} imports {doors}"


def test_the_server_needs_no_gradio_and_no_page() -> None:
    for name in modules():
        if is_below(name, ("adain.server",)):
            page = {n for n in imports(name) if is_below(n, ("gradio", "adain.demo", "adain.cli"))}
            assert not page, f"{name} imports {page}"


def test_only_learning_and_what_measures_it_import_torch() -> None:
    for name in modules():
        if not is_below(name, ("adain.learning", "export")) and name not in MEASURE_TORCH:
            learned = {other for other in imports(name) if is_below(other, TORCH)}
            assert not learned, f"{name} imports {learned}"


@pytest.mark.parametrize(
    "package", ["adain.cli", "adain.server", "adain.demo", "adain.drawings", "benchmarks", "tools"]
)
def test_no_module_outside_of_learning_loads_torch(package: str) -> None:
    """As they are imported: what a function imports, it does when torch is asked for."""
    names = [name for name in modules() if is_below(name, (package,))]
    names = [n for n in names if n not in MEASURE_TORCH and not n.endswith("__main__")]
    code = f"import sys, importlib\nfor n in {names}: importlib.import_module(n)\n"
    code += "print('torch' in sys.modules)"
    assert run_python(code) == "False\n"


def run_python(code: str) -> str:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("folders", "most"), [(CODE, LONGEST), (("tests",), LONGEST_TEST)], ids=["code", "tests"]
)
def test_no_file_is_too_long_to_read(folders: tuple[str, ...], most: int) -> None:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines())
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts
    }
    assert not {str(path): lines for path, lines in lengths.items() if lines > most}


def test_tests_mirror_the_code() -> None:
    """`tests/a/test_b.py`, or `test_b_more.py`, is about `adain/a/b.py`, or what lies in `a/b/`."""
    homes = {folder: ROOT / folder for folder in ("benchmarks", "export", "integrations", "tools")}
    strangers = []
    for test in (ROOT / "tests").rglob("test_*.py"):
        folder, *rest = test.relative_to(ROOT / "tests").parts
        home = homes[folder] if folder in homes else ROOT / "adain" / folder
        home = ROOT / "adain" if not rest else home.joinpath(*rest[:-1])
        subject = test.stem.removeprefix("test_")
        if not rest and test.stem in WHOLE:
            continue
        stems = {path.stem for path in home.iterdir()} | {home.name}
        if not any(subject == stem or subject.startswith(f"{stem}_") for stem in stems):
            strangers.append(str(test.relative_to(ROOT)))
    assert strangers == []
