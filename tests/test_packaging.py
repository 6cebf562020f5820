"""What the installed package contains, and which import contract covers each module."""

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
INSTALLED_PACKAGES = ("folate", "crawlers", "corpora", "nlp", "reports")
NOT_INSTALLED = ("training", "benchmarks", "demo", "tests")
BUILD_WHEEL = """
import sys
from setuptools.build_meta import build_wheel
build_wheel(sys.argv[1])
"""


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the wheel from a copy of the tree without model weights; return the names in it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    skip_weights = shutil.ignore_patterns("__pycache__", "*.safetensors")
    for package in (*INSTALLED_PACKAGES, *NOT_INSTALLED):
        shutil.copytree(ROOT / package, source / package, ignore=skip_weights)
    command = [sys.executable, "-W", "ignore", "-c", BUILD_WHEEL, str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_the_wheel_holds_every_installed_package(wheel_names: list[str]) -> None:
    assert {f"{package}/__init__.py" for package in INSTALLED_PACKAGES} <= set(wheel_names)


def test_the_wheel_holds_nothing_of_training(wheel_names: list[str]) -> None:
    folders = {name.split("/")[0] for name in wheel_names}
    assert folders & set(NOT_INSTALLED) == set()
    assert not [name for name in wheel_names if "training" in name]


def test_the_wheel_holds_every_data_file_of_the_installed_packages(wheel_names: list[str]) -> None:
    data_files = {
        path.relative_to(ROOT).as_posix()
        for package in INSTALLED_PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".safetensors")
        if "__pycache__" not in path.parts
    }
    assert data_files - set(wheel_names) == set()


def contract_modules() -> set[str]:
    """Return every module or package that an import contract in pyproject.toml names."""
    modules: set[str] = set()
    for contract in PYPROJECT["tool"]["importlinter"]["contracts"]:
        modules.update(contract.get("source_modules", ()))
        modules.update(contract.get("modules", ()))
        for container in contract.get("containers", ()):
            for layer in contract["layers"]:
                names = layer.replace("|", ":").split(":")
                modules.update(f"{container}.{name.strip()}" for name in names)
    return modules


@pytest.mark.parametrize("package", INSTALLED_PACKAGES)
def test_every_module_stands_in_an_import_contract(package: str) -> None:
    covered = contract_modules() - {package}  # a whole package says nothing about its inside
    for path in sorted((ROOT / package).rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        module = module.removesuffix(".__init__")
        ancestors = [module[:end] for end, letter in enumerate(module + ".") if letter == "."]
        assert module == package or covered.intersection(ancestors), module
