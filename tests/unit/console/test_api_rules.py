"""Rules over JSON: those to come, withdrawn before; two versions side by side; and published by two people."""

from __future__ import annotations

import pytest

from tests.unit.console.test_pages import leaf_types
from tests.unit.console.test_rules_publishing import careful, world

__all__ = ["careful", "world"]
RULES, DRAFT, PROPOSAL = "/api/v1/rules", "/api/v1/rules/drafts/-", "/api/v1/rules/proposals/-"
LATER = "2026-12-01T07:00:00Z"


def publish(browser, label: str, text: str = "# Regler\n\nVær snill.", **asked):
    draft = {"texts": {"nb": text}, "label": label, "binding_language": "nb"}
    kept = browser.put(DRAFT, json=draft)
    assert kept.status_code == 200, kept.text
    return browser.post(
        f"{DRAFT}/publish", json={"ask_again": False, **asked}, headers={"if-match": kept.headers["etag"]}
    )


def test_rules_to_come_are_listed_and_withdrawn_once(world):
    it = world.signed_in("it", "kari")
    version = publish(it, "2", in_force_from=LATER).json()["version"]
    assert (version["in_force_from"], version["withdrawn"]) == (LATER, False)
    assert [each["label"] for each in it.get(f"{RULES}/coming").json()["versions"]] == ["2"]
    path = f"{RULES}/versions/{version['id']}/withdraw"
    assert world.signed_in("auditor").post(path).status_code == 403
    assert it.post(path).json() == version | {"withdrawn": True}
    assert leaf_types(world)[-1] == "rules_withdrawn"
    assert it.get(f"{RULES}/coming").json() == {"versions": []}
    assert it.post(path).status_code == 409
    [first] = [each for each in it.get(RULES).json()["versions"] if each["label"] == "1"]
    assert it.post(f"{RULES}/versions/{first['id']}/withdraw").status_code == 409, "it is in force"
    assert it.post(f"{RULES}/versions/unknown/withdraw").status_code == 404


def test_versions_come_in_pages_of_the_database(world):
    it = world.signed_in("it", "kari")
    for label in ("2", "3"):
        assert publish(it, label).status_code == 200, "published in the same moment"
    first = it.get(f"{RULES}?limit=2").json()
    rest = it.get(first["next"]).json()
    assert [each["label"] for each in rest["versions"]] == ["1"]
    assert {each["label"] for each in first["versions"]} == {"2", "3"}
    assert rest["next"] is None
    for wrong in ("WyJhIiwgImIiXQ", "WyIyMDI2LTExLTIyIiwgImIiXQ", "x"):  # no moment; one without an offset; no JSON
        assert it.get(f"{RULES}?cursor={wrong}").status_code == 422, wrong


def test_two_versions_are_put_side_by_side(world):
    it = world.signed_in("it", "kari")
    assert publish(it, "2", "# Regler\n\nVær snill.\n\nOg rask.").status_code == 200
    new, old = it.get(RULES).json()["versions"]
    path = f"{RULES}/compare?old={old['id']}&new={new['id']}"
    found = world.signed_in("auditor").get(path).json()
    assert found["language"] == "nb"
    assert found["paragraphs"][0] == {side: [{"kind": "same", "text": "# Regler"}] for side in ("old", "new")}
    assert {"kind": "removed", "text": "grei"} in found["paragraphs"][1]["old"]
    assert found["paragraphs"][2] == {"old": [], "new": [{"kind": "added", "text": "Og rask."}]}
    assert it.get(f"{path}&language=nn").json()["fields"].keys() == {"language"}
    assert it.get(f"{RULES}/compare?old=unknown&new={new['id']}").status_code == 404
    assert it.get(f"{RULES}/compare?old={old['id']}").status_code == 422


@pytest.fixture
def proposed(careful):
    """A world where kari has proposed rules; world, kari, ola."""
    kari, ola = careful.signed_in("it", "kari"), careful.signed_in("it", "ola")
    done = publish(kari, "2")
    assert done.json() == {"version": None, "ended": 0, "proposed": True}
    return careful, kari, ola


def test_another_approves_exactly_what_they_have_looked_at(proposed):
    world, kari, ola = proposed
    shown = ola.get(PROPOSAL)
    [listed] = kari.get(f"{RULES}/proposals").json()["proposals"]
    assert listed == shown.json() | {"own": True}
    assert (listed["label"], listed["proposed_by"], listed["group"]) == ("2", "kari", "-")
    act, seen = f"{PROPOSAL}/approve", {"if-match": shown.headers["etag"]}
    assert ola.post(act).status_code == 428
    assert ola.post(act, headers={"if-match": '"0"'}).headers["etag"] == shown.headers["etag"]
    own = kari.post(act, headers=seen)
    assert (own.status_code, "somebody else" in own.json()["detail"]) == (409, True)
    assert leaf_types(world).count("rules_published") == 1
    done = ola.post(act, headers=seen)
    assert (done.status_code, done.json()["version"]["label"]) == (200, "2")
    assert ola.post(act, headers=seen).status_code == 404
    assert ola.get(PROPOSAL).status_code == 404
    assert kari.get(DRAFT).json()["begun"] is False


def test_a_proposal_is_withdrawn_and_its_draft_stays(proposed):
    world, kari, ola = proposed
    seen = {"if-match": ola.get(PROPOSAL).headers["etag"]}
    assert ola.delete(PROPOSAL, headers={"if-match": '"0"'}).status_code == 412
    assert ola.delete(PROPOSAL, headers=seen).status_code == 204
    assert leaf_types(world)[-1] == "rules_proposed"
    assert ola.delete(PROPOSAL, headers=seen).status_code == 404
    assert kari.get(DRAFT).json()["label"] == "2"
    assert ola.delete(f"{RULES}/proposals/nobody", headers=seen).status_code == 404


def test_proposals_are_for_it(proposed):
    world, _, _ = proposed
    assert world.signed_in("auditor").get(f"{RULES}/proposals").status_code == 403
