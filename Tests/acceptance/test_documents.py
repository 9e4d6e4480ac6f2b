"""The documents claim only what is there."""
import importlib.util
import json
import re

import pytest
from daemon import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def test_every_test_the_threat_model_names_exists():
    table = (ROOT / "docs" / "THREAT_MODEL.md").read_text().partition("## Threats and the test")[2]
    rows = [row.split("|")[-2] for row in table.splitlines() if row.startswith("|")]
    claimed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    sources = "".join(path.read_text() for path in (ROOT / "Tests" / "acceptance").glob("test_*.py"))
    swift = "".join(path.read_text() for path in (ROOT / "Tests").rglob("*.swift"))
    known = set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE)) | set(re.findall(r"\bfunc (\w+)", swift))
    assert len(claimed) > 20
    assert claimed <= known, claimed - known


def anchors(text):
    """What a heading is called in a link, as GitHub makes it."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_between_documents_lead_somewhere():
    assert len(DOCUMENTS) >= 8
    for document in DOCUMENTS:
        text = document.read_text()
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", text):
            path = document.parent / target if target else document
            assert path.exists(), f"{document.name} links to {target}"
            if anchor and path.suffix == ".md":
                assert anchor in anchors(path.read_text()), f"{document.name} links to {target}#{anchor}"


def test_the_index_names_every_document():
    index = (ROOT / "docs" / "README.md").read_text()
    named = set(re.findall(r"\]\(([\w.-]+\.md)\)", index))
    assert named == {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}


def test_commands_name_the_build_that_the_scripts_make():
    for document in DOCUMENTS:
        assert ".build/debug" not in document.read_text(), f"{document.name}: scripts/test and scripts/run build .build/release/kmsd"


def test_one_spelling_of_the_standard():
    for document in [*DOCUMENTS, ROOT / "config" / "kmsd.yaml.example"]:
        assert "PKCS" + "#11" not in document.read_text(), f"{document.name}: PKCS #11 is written with a space"


@pytest.mark.parametrize("page", ["cli.md", "api.md", "decryption-protos.md"])
def test_generated_pages_are_current(page):
    specification = importlib.util.spec_from_file_location("generate_docs", ROOT / "scripts" / "generate-docs.py")
    generator = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(generator)
    expected = {path.name: text for path, text in generator.pages().items()}
    assert len(expected[page].splitlines()) > 400
    current = (ROOT / "docs" / page).read_text() == expected[page]
    assert current, f"docs/{page} is not what the program says: run scripts/generate-docs.py"


def test_the_manual_explains_every_metric_and_error_word():
    manual = (ROOT / "docs" / "operator.md").read_text()
    surface = json.loads((ROOT / "Tests" / "acceptance" / "surface.json").read_text())
    operations = {word.split(":")[0] for word in surface["audit"]}
    words = set(surface["metrics"]["kinds"]) | operations
    for name in ("HSMError", "AuditError", "KMSError", "SplitKeyError"):
        (source,) = (ROOT / "Sources").rglob(f"{name}.swift")
        found = re.findall(r'Code\(rawValue: "([\w-]+)"\)', source.read_text())
        assert len(found) > 5
        words |= set(found)
    missing = sorted(word for word in words if f"`{word}`" not in manual)
    assert not missing, f"docs/operator.md says nothing of {missing}"


def test_the_vendors_guide_names_every_mechanism_and_attribute():
    """All that the daemon asks a PKCS #11 module for, read from the source that asks."""
    guide = (ROOT / "docs" / "pkcs11-vendors.md").read_text()
    folder = ROOT / "Sources" / "HSMBridge" / "PKCS11"
    mechanisms = set(re.findall(r"\bCKM_\w+", (folder / "Mechanism.swift").read_text()))
    attributes = set(re.findall(r"\bCKA_\w+", (folder / "Attribute.swift").read_text()))
    assert len(mechanisms) > 8 and len(attributes) > 25
    assert {name for name in mechanisms | attributes if not re.search(rf"\b{name}\b", guide)} == set()
    (probe,) = (ROOT / "Sources").rglob("TokenProbe.swift")
    lines = set(re.findall(r'\("([a-z0-9-]+)", \{ \(probe\)', probe.read_text()))
    assert len(lines) > 15
    assert {line for line in lines if f"`{line}`" not in guide} == set()


def test_readme_is_short_and_says_what_the_scripts_install():
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 90
    packages = re.search(r"BUILD_PACKAGES=\((.*?)\)", (ROOT / "scripts" / "lib.sh").read_text(), re.DOTALL)[1].split()
    before = text.partition("$ scripts/run")[0]
    assert len(packages) > 5 and [package for package in packages if package not in before] == []


def test_readme_shows_both_commands_on_the_first_screen():
    head = "\n".join((ROOT / "README.md").read_text().splitlines()[:40])
    assert "scripts/run" in head and "scripts/test" in head
