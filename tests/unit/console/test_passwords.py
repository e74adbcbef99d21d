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
        ("abcd" * 5, "too_simple"),
        ("kari.nordmannkari.nordmann", "too_simple"),
        ("a fine sentence\0", "characters"),
        ("a fine\nsentence here", "characters"),
        ("x" * 201, "too_long"),
        ("<b>fin setning</b>", None),
        ("femten tegn, ok", None),
    ],
)
def test_what_a_password_needs(password, problem):
    assert problem_with(password, "kari.nordmann") == problem
