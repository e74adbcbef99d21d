import pytest

from captive_portal.auth.passwords import hash_password, password_matches, problem_with


def test_the_hash_is_argon2id_with_the_parameters_of_the_requirement():
    assert hash_password("en setning med ord").startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_matches_only_the_password_and_in_either_unicode_form():
    kept = hash_password("blåbærsyltetøy på skiva")
    assert password_matches(kept, "blåbærsyltetøy på skiva")
    assert password_matches(kept, "bla\u030abærsyltetøy pa\u030a skiva")
    assert not password_matches(kept, "blåbærsyltetøy på skiven")
    assert not password_matches(None, "nobody has this password")
    assert not password_matches("damaged", "x")
    assert not password_matches(kept, "x" * 1_000_000)


@pytest.mark.parametrize(
    ("password", "problem"),
    [
        ("a" * 14, "too_short"),
        ("a fine sentence\0", "characters"),
        ("a fine\nsentence here", "characters"),
        ("x" * 201, "too_long"),
        ("x" * 200, "repeats"),
        ("abcd" * 5, "repeats"),
        ("passordpassordpassord", "repeats"),
        ("PASSORDpassordPassord", "repeats"),
        ("passord passord passord", "repeats"),
        ("heistol-heistol-heis", "repeats"),
        ("jegheterjegheter", "repeats"),
        ("abcabcabcabcabc!1", "repeats"),
        ("aaaaaaaabbbbbbbb", "repeats"),
        ("abcdefghijklmnop", "in_a_row"),
        ("1234567890123456", "in_a_row"),
        ("qwertyuiopåasdfg", "in_a_row"),
        ("0987654321 poiuytrewq", "in_a_row"),
        ("kari.nordmannkari.nordmann", "known_words"),
        ("KariNordmann2026", "known_words"),
        ("password12345678", "in_a_row"),
        ("p@ssw0rdp@$$word1", "known_words"),
        ("Gjestenett-Kommune", "known_words"),
        ("Fjellbygda kommune", "known_words"),
        ("fjellbygda kommune vinter 2026", "known_words"),
        ("<b>fin setning</b>", None),
        ("femten tegn, ok", None),
        ("en setning med noen ord", None),
        ("correct horse battery staple", None),
        ("kari glemmer aldri passordet sitt igjen", None),
        ("katten i kommunen liker ikke brunost", None),
        ("7351 9264 8047 1593", None),
        ("мой дядя самых честных", None),
        ("我家的猫昨天晚上又偷吃了三条大鱼", None),
        ("!#%&/()=?+-_;:,.", None),
    ],
)
def test_what_a_password_needs(password, problem):
    assert problem_with(password, "kari.nordmann", "Fjellbygda kommune") == problem


def test_short_names_and_none_are_no_words():
    assert problem_with("ola og kari gikk til byen", "ola", "") is None
    assert problem_with("ola og kari gikk til byen", "", "") is None
