"""The documents claim only what is there."""
import re

from daemon import ROOT


def test_every_test_the_threat_model_names_exists():
    claimed = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "THREAT_MODEL.md").read_text()))
    sources = "".join(path.read_text() for path in (ROOT / "Tests" / "acceptance").glob("test_*.py"))
    assert len(claimed) > 20
    assert claimed <= set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))


def test_links_between_documents_lead_somewhere():
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    assert len(documents) >= 8
    for document in documents:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_readme_shows_both_commands_on_the_first_screen():
    head = "\n".join((ROOT / "README.md").read_text().splitlines()[:40])
    assert "scripts/run" in head and "scripts/test" in head
