"""The documents claim only what is there."""
import re

from daemon import ROOT


def test_every_test_the_threat_model_names_exists():
    table = (ROOT / "docs" / "THREAT_MODEL.md").read_text().partition("## Threats and the test")[2]
    rows = [row.split("|")[-2] for row in table.splitlines() if row.startswith("|")]
    claimed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    sources = "".join(path.read_text() for path in (ROOT / "Tests" / "acceptance").glob("test_*.py"))
    swift = "".join(path.read_text() for path in (ROOT / "Tests").rglob("*.swift"))
    known = set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE)) | set(re.findall(r"\bfunc (\w+)", swift))
    assert len(claimed) > 20
    assert claimed <= known, claimed - known


def test_links_between_documents_lead_somewhere():
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    assert len(documents) >= 8
    for document in documents:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_readme_shows_both_commands_on_the_first_screen():
    head = "\n".join((ROOT / "README.md").read_text().splitlines()[:40])
    assert "scripts/run" in head and "scripts/test" in head
