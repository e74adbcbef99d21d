import json

from policies.explain import explain
from policies.model import Decision, Reason


def test_a_refusal_says_which_list_and_what_would_change_it() -> None:
    reason = Reason("category_closed", "tinder.com", "dating", "starter/dating")
    facts = explain(Decision("www.tinder.com", "default", False, "dating", (reason,), 7))
    assert json.loads(json.dumps(facts)) == facts
    assert facts["category"]["names"]["nn"] == "Datingtenester (kontaktformidling)"
    assert facts["generation"] == 7
    assert facts["reasons"][0]["source"] == "starter/dating"
    assert [change["action"] for change in facts["changes"]] == ["open_categories", "permit_name", "exempt_categories"]
    assert facts["changes"][0]["categories"] == ["dating"]


def test_nothing_turns_a_never_blocked_name_round() -> None:
    facts = explain(
        Decision("nav.no", "default", True, None, (Reason("never_blocked", "nav.no", detail="public_service"),), 7)
    )
    assert facts["changes"] == []
    assert facts["reasons"] == [{"kind": "never_blocked", "name": "nav.no", "detail": "public_service"}]


def test_the_root_is_explained_without_offers() -> None:
    assert explain(Decision("", "default", True, None, (Reason("not_forbidden"),), 7))["changes"] == []
