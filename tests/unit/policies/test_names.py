import pytest

from policies.names import NameError_, from_labels, from_person, is_under, listable, normalise, parents


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("example.no", "example.no"),
        ("ExAmPlE.NO.", "example.no"),  # RFC 4343
        ("Møteplassen.no", "xn--mteplassen-0cb.no"),
        ("MØTEPLASSEN.NO", "xn--mteplassen-0cb.no"),
        ("straße.de", "xn--strae-oqa.de"),  # IDNA 2008: ß is a letter of its own
        ("ex\u00adample.no", "example.no"),  # UTS 46 drops the soft hyphen
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),  # ideographic full stop
        ("XN--Mteplassen-0CB.no", "xn--mteplassen-0cb.no"),
        ("xn--zzzzzzz99999.no", "xn--zzzzzzz99999.no"),  # not valid punycode, and yet a name in DNS
        ("_dmarc.example.no", "_dmarc.example.no"),
        ("r3---sn-x.googlevideo.com", "r3---sn-x.googlevideo.com"),
        ("-odd-.no", "-odd-.no"),
        ("*.example.no", "*.example.no"),
        ("localhost", "localhost"),
        (".", ""),
        (r"a\.b.no", r"a\046b.no"),  # RFC 1035 §5.1
        (r"a\046b.no", r"a\046b.no"),
        (r"\097\066c.no", "abc.no"),
        (r"a\000b.no", r"a\000b.no"),
        (r"a\\b.no", r"a\092b.no"),
        (r"a\032b.no", r"a\032b.no"),
        (r"\195\166.no", r"\195\166.no"),  # raw octets are not read as UTF-8
        ("a" * 63 + ".no", "a" * 63 + ".no"),
        (".".join(["a" * 49] * 5) + ".abc", ".".join(["a" * 49] * 5) + ".abc"),  # 253 characters, 255 octets
    ],
)
def test_normal_form(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_composed_and_decomposed_letters_are_one_name() -> None:
    assert normalise("mo\u0308tesplatsen.se") == normalise("m\u00f6tesplatsen.se")
    assert normalise("m\u00f6tesplatsen.se") == "xn--" + "m\u00f6tesplatsen".encode("punycode").decode() + ".se"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("..", "empty_label"),
        ("a..no", "empty_label"),
        (".no", "empty_label"),
        ("a" * 64 + ".no", "label_too_long"),
        ("ø" * 63 + ".no", "label_too_long"),
        (".".join(["a" * 49] * 5) + ".abcd", "name_too_long"),
        ("a." * 2000, "name_too_long"),
        ("192.0.2.1", "ip_address"),
        ("192.0.2.1.", "ip_address"),
        ("2001:db8::1", "ip_address"),
        ("[2001:db8::1]", "ip_address"),
        ("a b.no", "bad_character"),
        ("a\tb.no", "bad_character"),
        ("a\x00b.no", "bad_character"),
        ("\\", "bad_escape"),
        (r"a\25.no", "bad_escape"),
        (r"a\256.no", "bad_escape"),
        ("☃.net", "idna"),  # valid in IDNA 2003, not in 2008
        ("x…y.no", "idna"),  # U+2026 maps to three dots: it may not make labels
        ("\u200b.no", "idna"),
        ("a\u202eb.no", "idna"),
    ],
)
def test_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(NameError_) as caught:
        normalise(text)
    assert caught.value.reason == reason
    assert len(str(caught.value)) > len(reason)


def test_labels_from_the_wire_keep_every_octet() -> None:
    assert from_labels([b"WWW", b"Example", b"no"]) == "www.example.no"
    assert from_labels([b"a.b", b"no"]) == r"a\046b.no"
    assert from_labels([b"\x00\xff\\ ", b"no"]) == r"\000\255\092\032.no"
    assert from_labels([]) == ""
    assert from_labels([b"192", b"0", b"2", b"1"]) == "192.0.2.1"  # a query may ask for it


@pytest.mark.parametrize("labels", [[b""], [b"a", b"", b"no"], [b"a" * 64], [b"a" * 63] * 4])
def test_labels_from_the_wire_keep_the_limits(labels: list[bytes]) -> None:
    with pytest.raises(NameError_):
        from_labels(labels)


@pytest.mark.parametrize("text", [".", "*.example.no", r"a\046b.no", "ex$ample.no", "http://example.no"])
def test_a_rule_takes_only_letters_digits_hyphens_and_underscores(text: str) -> None:
    with pytest.raises(NameError_):
        listable(text)


def test_a_rule_may_name_a_public_suffix() -> None:
    assert [listable(text) for text in ("ringebu.no", "Kommune.no", "xxx")] == ["ringebu.no", "kommune.no", "xxx"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://www.Tinder.com:443/app?x#y", "www.tinder.com"),
        ("  <http://user:pw@møteplassen.no>  ", "xn--mteplassen-0cb.no"),
        ("«sukker.no»", "sukker.no"),
        ("kari@example.no", "example.no"),
        ("*.example.no", "example.no"),
        (".example.no", "example.no"),
        ("example.no:8080", "example.no"),
        ("//example.no/", "example.no"),
        ("https:/example.no", "example.no"),
        ("example.no/a:b@c", "example.no"),
        ("<www.example.no>", "www.example.no"),
        ("ringebu", "ringebu"),
    ],
)
def test_what_a_person_pastes(text: str, expected: str) -> None:
    assert from_person(text) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("http://[2001:db8::1]:80/", "ip_address"),
        ("http://192.0.2.1/x", "ip_address"),
        ("192.0.2.1:53", "ip_address"),
        ("https://", "empty"),
        ("  ", "empty"),
        ("to ord", "bad_character"),
        ("<script>", "bad_character"),
        ("<script>alert(1)</script>", "bad_character"),
        ("</b>", "empty"),
        ("<img src=x.no>", "bad_character"),
        ("tinder>", "bad_character"),
    ],
)
def test_what_a_person_pastes_in_vain(text: str, reason: str) -> None:
    with pytest.raises(NameError_) as caught:
        from_person(text)
    assert caught.value.reason == reason


def test_parents_end_at_the_last_label() -> None:
    assert list(parents("a.b.no")) == ["a.b.no", "b.no", "no"]
    assert list(parents("no")) == ["no"]
    assert list(parents("")) == []


def test_suffixes_match_on_label_boundaries() -> None:
    assert is_under("www.example.com", "example.com")
    assert is_under("example.com", "example.com")
    assert is_under("example.com", "")
    assert not is_under("notexample.com", "example.com")
    assert not is_under("com", "example.com")
