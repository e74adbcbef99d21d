import pytest

from policies.names import parents
from policies.never_blocked import NEVER_BLOCKED


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("connectivitycheck.gstatic.com", "connectivity"),
        ("www.google.com", "connectivity"),
        ("play.googleapis.com", "connectivity"),
        ("captive.apple.com", "connectivity"),
        ("www.msftconnecttest.com", "connectivity"),
        ("dns.msftncsi.com", "connectivity"),
        ("detectportal.firefox.com", "connectivity"),
        ("support.mozilla.org", "connectivity"),
        ("fedoraproject.org", "connectivity"),
        ("nmcheck.gnome.org", "connectivity"),
        ("ocsp.digicert.com", "certificate_status"),
        ("r10.o.lencr.org", "certificate_status"),
        ("c.pki.goog", "certificate_status"),
        ("0.no.pool.ntp.org", "time"),
        ("time.windows.com", "time"),
        ("csfe.bankid.no", "public_service"),
        ("login.idporten.no", "public_service"),
        ("www.altinn.no", "public_service"),
        ("idp.feide.no", "public_service"),
        ("auth.dataporten.no", "public_service"),
        ("tjenester.nav.no", "public_service"),
        ("tjenester.helsenorge.no", "public_service"),
        ("valg.no", "election"),
        ("www.hoyre.no", "party"),
        ("xn--rdt-0na.no", "party"),
        ("www.sexogpolitikk.no", "sexual_health"),
        ("www.mentalhelse.no", "help_line"),
        ("alarmtelefonen.no", "help_line"),
    ],
)
def test_is_protected(name: str, kind: str) -> None:
    assert next(NEVER_BLOCKED[suffix] for suffix in parents(name) if suffix in NEVER_BLOCKED) == kind


def test_nothing_broad_is_protected() -> None:
    """A protected name covers everything below it, so it may not be a domain under which anyone can have a page."""
    broad = {"google.com", "gstatic.com", "googleapis.com", "apple.com", "microsoft.com", "firefox.com", "mozilla.org"}
    broad |= {"amazonaws.com", "s3.amazonaws.com", "gnome.org", "facebook.com", "kommune.no", "cloudflare.com"}
    assert not broad & set(NEVER_BLOCKED)
    assert all("." in name for name in NEVER_BLOCKED)
