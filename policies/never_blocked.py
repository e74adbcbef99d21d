"""Names that no list and no rule can close, because devices, elections, health or public services depend on
them.

Each name means itself and everything below it. Written from general knowledge of the services; the register
of political parties in Brønnøysund is the measure for `party`. The installation's own names are added to
each snapshot by the caller.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from policies.names import listable

_BY_KIND = {
    # How devices find out that they are online: without these they leave the network or show no login window.
    "connectivity": """
        connectivitycheck.gstatic.com connectivitycheck.android.com clients3.google.com
        www.google.com www.gstatic.com play.googleapis.com captive.apple.com www.apple.com msftconnecttest.com
        msftncsi.com detectportal.firefox.com support.mozilla.org fedoraproject.org
        nmcheck.gnome.org network-test.debian.org connectivity-check.ubuntu.com networkcheck.kde.org
        ping.archlinux.org ping.manjaro.org conncheck.opensuse.org
        connectivitycheck.grapheneos.network connectivitycheck.platform.hicloud.com
        connectivitycheck.cbg-app.huawei.com connect.rom.miui.com conn1.oppomobile.com conn2.oppomobile.com
        wifi.vivo.com.cn connectivity.samsung.com.cn fireoscaptiveportal.com edge-http.microsoft.com
        static.redhat.com conntest.nintendowifi.net ctest.cdn.nintendo.net
        spectrum.s3.amazonaws.com detectportal.brave-http-only.com neverssl.com
    """,
    # Revocation and issuer certificates of the large authorities, and of the Norwegian ones.
    "certificate_status": """
        lencr.org ocsp.digicert.com crl3.digicert.com crl4.digicert.com cacerts.digicert.com
        status.rapidssl.com status.geotrust.com status.thawte.com ocsp.rapidssl.com
        ocsp.geotrust.com pki.goog ocsp.sectigo.com crl.sectigo.com crt.sectigo.com
        ocsp.comodoca.com crl.comodoca.com crt.comodoca.com ocsp.usertrust.com crl.usertrust.com
        crt.usertrust.com ocsp.trust-provider.com ocsp.zerossl.com ocsp.globalsign.com
        ocsp2.globalsign.com crl.globalsign.com crl.globalsign.net secure.globalsign.com
        ocsp.entrust.net crl.entrust.net aia.entrust.net ocsp.godaddy.com crl.godaddy.com
        certificates.godaddy.com ocsp.starfieldtech.com crl.starfieldtech.com ocsp.apple.com
        ocsp2.apple.com crl.apple.com valid.apple.com certs.apple.com oneocsp.microsoft.com
        ocsp.msocsp.com crl.microsoft.com mscrl.microsoft.com ctldl.windowsupdate.com
        amazontrust.com ocsp.identrust.com crl.identrust.com validation.identrust.com
        ocsp.quovadisglobal.com crl.quovadisglobal.com ocsps.ssl.com crls.ssl.com ocsp-certum.com
        crl.certum.pl ocsp.certum.pl ocsp.harica.gr crl.harica.gr ocsp.swisssign.net
        crl.swisssign.net ocsp.telesec.de ocsp.buypass.com ocsp.buypass.no crl.buypass.no
        ocsp.commfides.com crl.commfides.com
    """,
    "time": """
        ntp.org time.apple.com time.windows.com time.google.com time.android.com time.cloudflare.com
        ntp.ubuntu.com time.nist.gov ntp.justervesenet.no
    """,
    # Signing in to and using public services; what people must be able to reach in a municipality's house.
    "public_service": """
        bankid.no bankidnorge.no idporten.no difi.no digdir.no altinn.no altinn.cloud feide.no
        dataporten.no uninett.no sikt.no minid.no buypass.no buypass.com commfides.com norge.no
        nav.no helsenorge.no nhn.no helsedirektoratet.no fhi.no felleskatalogen.no skatteetaten.no
        regjeringen.no stortinget.no politiet.no domstol.no brreg.no lovdata.no statsforvalteren.no
        datatilsynet.no udi.no udir.no lanekassen.no husbanken.no vegvesen.no digipost.no e-boks.com
        eboks.no dsb.no sikresiden.no ksdigital.no svarut.ks.no ks.no
    """,
    "election": """
        valg.no valgresultat.no valgdirektoratet.no
    """,
    "party": """
        arbeiderpartiet.no auf.no høyre.no hoyre.no ungehøyre.no senterpartiet.no senterungdommen.no
        frp.no fpu.no sv.no su.no rødt.no rødungdom.no venstre.no ungevenstre.no krf.no mdg.no
        grønnungdom.no gronnungdom.no pasientfokus.no partietsentrum.no inp.no
        industriognaringspartiet.no konservativt.no norgesdemokratene.no demokratene.no
        pensjonistpartiet.no liberalistene.org liberalistene.no piratpartiet.no nkp.no
        helsepartiet.no feministiskinitiativ.no generasjonspartiet.no partietfor.no alliansen.no
        kystpartiet.no sametinget.no
    """,
    "sexual_health": """
        sexogpolitikk.no sexogsamfunn.no zanzu.no helseutvalget.no hivnorge.no amathea.no
        prosentret.no foreningenfri.no skeivungdom.no skeivverden.no rosakompetanse.no ung.no
        klara-klok.no klaraklok.no plannedparenthood.org rfsu.se sexogsamfund.dk umo.se sexlinien.dk
        olafiaklinikken.no ippf.org
    """,
    "help_line": """
        mentalhelse.no sidetmedord.no kirkens-sos.no soschat.no rodekors.no korspaahalsen.no
        krisesenter.com dinutvei.no dixi.no smiso.no 116111.no alarmtelefonen.no 116006.no
        volinjen.no bufdir.no barneombudet.no reddbarna.no snakkommobbing.no nettros.no rosinfo.no
        spiseforstyrrelser.no rusinfo.no rustelefonen.no hjelpelinjen.no spillavhengighet.no akan.no
        leve.no nkvts.no rvts.no stinesofiesstiftelse.no slettmeg.no nanorge.org voksneforbarn.no
        konfliktraadet.no fransiskushjelpen.no
    """,
}

NEVER_BLOCKED: Mapping[str, str] = MappingProxyType(
    {listable(name): kind for kind, names in _BY_KIND.items() for name in names.split()}
)
"""Name in normal form → kind of service: connectivity, certificate_status, time, public_service, election,
party, sexual_health, help_line."""
