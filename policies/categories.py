"""The risk taxonomy: what kinds of sites a policy can close, in the three languages, and why.

Closing is offered for a category only where the installation has a list for it; the taxonomy itself is the
same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Language = Literal["nb", "nn", "en"]

# Which point of the municipal ICT guidelines (Administrasjonsutvalget 6.12.12) a category serves.
GuidelinePoint = Literal[
    "risk_sites",  # risk sites are to be avoided: online games, file sharing, dating, pornography
    "security",  # the reason for the rules: security
    "stable_operation",  # the reason for the rules: stable operation of the networks
    "downloads",  # nothing downloaded and installed that the ICT department has not cleared
    "social_media",  # social media for the municipality are cleared with its leadership
]


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of site. `names` and `descriptions` are keyed nb, nn, en; a description is one sentence."""

    key: str
    required: bool
    closed_by_default: bool
    guideline: GuidelinePoint
    names: Mapping[str, str]
    descriptions: Mapping[str, str]

    def name(self, language: Language) -> str:
        """What the category is called in `language`."""
        return self.names[language]


Texts = tuple[str, str, str]  # nb, nn, en


def _category(key: str, guideline: GuidelinePoint, names: Texts, sentences: Texts, flags: str = "") -> Category:
    def by_language(texts: Texts) -> Mapping[str, str]:
        return MappingProxyType({"nb": texts[0], "nn": texts[1], "en": texts[2]})

    return Category(key, "required" in flags, "closed" in flags, guideline, by_language(names), by_language(sentences))


_ALL = (
    _category(
        "gaming", "risk_sites",
        ("Nettspill", "Nettspel", "Online games"),
        ("Spill på nett, spillbutikker og tjenester som spill henter innhold fra.",
         "Spel på nett, spelbutikkar og tenester som spel hentar innhald frå.",
         "Games played online, game shops and the services that games load from."),
        "required closed",
    ),
    _category(
        "file_sharing", "risk_sites",
        ("Fildeling", "Fildeling", "File sharing"),
        ("Fildeling mellom brukere, lagre for ulovlige kopier og anonym opplasting; ikke vanlig skylagring.",
         "Fildeling mellom brukarar, lager for ulovlege kopiar og anonym opplasting; ikkje vanleg skylagring.",
         "Peer-to-peer sharing, lockers for pirated files and anonymous upload; not ordinary cloud storage."),
        "required closed",
    ),
    _category(
        "dating", "risk_sites",
        ("Datingtjenester (kontaktformidling)", "Datingtenester (kontaktformidling)", "Dating services"),
        ("Tjenester der folk søker kjærester eller tilfeldige møter.",
         "Tenester der folk søkjer kjærastar eller tilfeldige møte.",
         "Services where people look for partners or casual encounters."),
        "required closed",
    ),
    _category(
        "adult", "risk_sites",
        ("Pornografi", "Pornografi", "Pornography"),
        ("Pornografisk innhold og kjøp av seksuelle tjenester; ikke opplysning om seksuell helse.",
         "Pornografisk innhald og kjøp av seksuelle tenester; ikkje opplysing om seksuell helse.",
         "Pornographic content and the sale of sexual services; not information about sexual health."),
        "required closed",
    ),
    _category(
        "gambling", "risk_sites",
        ("Pengespill", "Pengespel", "Gambling"),
        ("Spill om penger: kasino, odds, poker og lotteri.",
         "Spel om pengar: kasino, odds, poker og lotteri.",
         "Games for money: casinos, betting, poker and lotteries."),
    ),
    _category(
        "piracy", "risk_sites",
        ("Piratkopiering", "Piratkopiering", "Piracy"),
        ("Film, musikk, bøker og programmer som spres uten rettighetshavernes lov.",
         "Film, musikk, bøker og program som blir spreidde utan lov frå rettshavarane.",
         "Films, music, books and programs spread without the right holders' permission."),
    ),
    _category(
        "malware", "security",
        ("Skadevare", "Skadevare", "Malware"),
        ("Nettsteder som sprer eller styrer skadelige programmer.",
         "Nettstader som spreier eller styrer skadelege program.",
         "Sites that spread or control harmful programs."),
        "closed",
    ),
    _category(
        "phishing", "security",
        ("Nettfiske og svindel", "Nettfiske og svindel", "Phishing and fraud"),
        ("Nettsteder som lurer til seg passord, kortnumre eller penger.",
         "Nettstader som lurer til seg passord, kortnummer eller pengar.",
         "Sites that trick people out of passwords, card numbers or money."),
        "closed",
    ),
    _category(
        "cryptomining", "stable_operation",
        ("Utvinning av kryptovaluta", "Utvinning av kryptovaluta", "Cryptocurrency mining"),
        ("Tjenester som bruker enhetens regnekraft til å utvinne kryptovaluta.",
         "Tenester som bruker reknekrafta i eininga til å utvinne kryptovaluta.",
         "Services that use the device's computing power to mine cryptocurrency."),
    ),
    _category(
        "drugs", "risk_sites",
        ("Rusmidler", "Rusmiddel", "Drugs"),
        ("Salg av og oppfordring til bruk av ulovlige rusmidler; ikke rådgivning og behandling.",
         "Sal av og oppmoding til bruk av ulovlege rusmiddel; ikkje rådgjeving og behandling.",
         "Sale and promotion of illegal drugs; not advice and treatment."),
    ),
    _category(
        "weapons", "risk_sites",
        ("Våpen", "Våpen", "Weapons"),
        ("Salg av våpen og oppskrifter på våpen og eksplosiver.",
         "Sal av våpen og oppskrifter på våpen og sprengstoff.",
         "Sale of weapons, and instructions for making weapons and explosives."),
    ),
    _category(
        "violence_hate", "risk_sites",
        ("Vold og hat", "Vald og hat", "Violence and hate"),
        ("Grov vold til underholdning og hat mot grupper av mennesker.",
         "Grov vald til underhaldning og hat mot grupper av menneske.",
         "Gross violence as entertainment, and hatred of groups of people."),
    ),
    _category(
        "social_media", "social_media",
        ("Sosiale medier", "Sosiale medium", "Social media"),
        ("Samfunn på nett med innhold som brukerne lager selv.",
         "Samfunn på nett med innhald som brukarane lagar sjølve.",
         "Communities online whose content is made by their users."),
    ),
    _category(
        "streaming", "stable_operation",
        ("Strømming", "Strøyming", "Streaming"),
        ("Film, musikk og direktesendinger som tar mye av linjen.",
         "Film, musikk og direktesendingar som tek mykje av linja.",
         "Film, music and live video that take much of the line."),
    ),
    _category(
        "messaging", "security",
        ("Meldingstjenester", "Meldingstenester", "Messaging"),
        ("Tjenester for samtaler i tekst og lyd mellom privatpersoner.",
         "Tenester for samtalar i tekst og lyd mellom privatpersonar.",
         "Services for private conversations by text and voice."),
    ),
    _category(
        "meetings", "stable_operation",
        ("Nettmøter", "Nettmøte", "Online meetings"),
        ("Tjenester for møter med lyd og bilde.",
         "Tenester for møte med lyd og bilete.",
         "Services for meetings with sound and picture."),
    ),
    _category(
        "cloud_storage", "security",
        ("Skylagring", "Skylagring", "Cloud storage"),
        ("Vanlige tjenester for å lagre og dele egne filer på nett.",
         "Vanlege tenester for å lagre og dele eigne filer på nett.",
         "Ordinary services for storing and sharing one's own files online."),
    ),
    _category(
        "proxy_vpn", "security",
        ("Proxy og VPN", "Proxy og VPN", "Proxies and VPN"),
        ("Tjenester som fører trafikken utenom nettets regler.",
         "Tenester som fører trafikken utanom reglane i nettet.",
         "Services that carry traffic past the rules of the network."),
    ),
    _category(
        "encrypted_dns", "security",
        ("Kryptert DNS", "Kryptert DNS", "Encrypted DNS"),
        ("Navnetjenester som går utenom nettets egen, og dermed utenom reglene.",
         "Namnetenester som går utanom den i nettet, og dermed utanom reglane.",
         "Name services that go past the network's own, and so past its rules."),
        "closed",
    ),
    _category(
        "remote_access", "security",
        ("Fjernstyring", "Fjernstyring", "Remote access"),
        ("Tjenester for å se og styre en datamaskin på avstand.",
         "Tenester for å sjå og styre ei datamaskin på avstand.",
         "Services for seeing and controlling a computer from afar."),
    ),
    _category(
        "software_download", "downloads",
        ("Nedlasting av programmer", "Nedlasting av program", "Software downloads"),
        ("Nettsteder som samler programmer til nedlasting.",
         "Nettstader som samlar program til nedlasting.",
         "Sites that collect programs for download."),
    ),
    _category(
        "dynamic_dns", "security",
        ("Dynamisk DNS", "Dynamisk DNS", "Dynamic DNS"),
        ("Navn som hvem som helst kan peke mot en hjemmelinje i løpet av sekunder.",
         "Namn som kven som helst kan peike mot ei heimelinje på sekund.",
         "Names that anyone can point at a home connection within seconds."),
    ),
    _category(
        "url_shortener", "security",
        ("Lenkeforkortere", "Lenkjeforkortarar", "Link shorteners"),
        ("Korte lenker som skjuler hvor de fører.",
         "Korte lenkjer som skjuler kvar dei fører.",
         "Short links that hide where they lead."),
    ),
    _category(
        "ai_chat", "security",
        ("KI-samtaler", "KI-samtalar", "AI chat"),
        ("Samtaleroboter og bildetjenester som bygger på kunstig intelligens.",
         "Samtalerobotar og bilettenester som byggjer på kunstig intelligens.",
         "Chatbots and picture services built on artificial intelligence."),
    ),
)  # fmt: skip

CATEGORIES: Mapping[str, Category] = MappingProxyType({category.key: category for category in _ALL})
"""Every category by key, in the order in which people see them: the required four first."""

REQUIRED = tuple(category.key for category in _ALL if category.required)
CLOSED_BY_DEFAULT = frozenset(category.key for category in _ALL if category.closed_by_default)
