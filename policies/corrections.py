"""What well-known services are, name by name, where published lists are too coarse.

Lists put Dropbox under file sharing and Teams under chat, while a course instructor needs them to work. For a
name here, and everything below it, the built-in category holds whatever a list says; only a list of particular
hosts (harmful ones, ways past the filter, remote access, AI chat) may still mean one host below it. A list that
closes a name above one (all of minecraft.net) keeps its word there, and the service below it
(education.minecraft.net) is excepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

OPEN = ""  # of no category in the taxonomy: teaching, work, public services

_BY_CATEGORY = {
    OPEN: """
        education.minecraft.net minecrafteduservices.com minecrafteducation.net
        kahoot.com kahoot.it create.kahoot.it play.kahoot.it mentimeter.com menti.com quizlet.com quizizz.com
        wayground.com blooket.com gimkit.com socrative.com slido.com sli.do padlet.com padlet.org nearpod.com
        edpuzzle.com
        wooclap.com polleverywhere.com pollev.com classkick.com flip.com flipgrid.com bookcreator.com thinglink.com
        h5p.com h5p.org learningapps.org geogebra.org desmos.com phet.colorado.edu scratch.mit.edu code.org
        khanacademy.org duolingo.com coursera.org edx.org futurelearn.com udemy.com skillshare.com
        itslearning.com instructure.com canvaslms.com moodle.org moodlecloud.com brightspace.com
        classroom.google.com docs.google.com sheets.google.com slides.google.com forms.google.com sites.google.com
        calendar.google.com mail.google.com accounts.google.com myaccount.google.com translate.google.com
        maps.google.com scholar.google.com books.google.com earth.google.com workspace.google.com
        forms.office.com forms.cloud.microsoft forms.gle office.com office365.com office.net officeapps.live.com
        microsoft365.com cloud.microsoft login.microsoftonline.com login.live.com login.microsoft.com
        account.live.com account.microsoft.com outlook.office.com outlook.office365.com outlook.live.com
        onenote.com sway.office.com planner.cloud.microsoft to-do.office.com loop.cloud.microsoft
        learn.microsoft.com support.microsoft.com
        canva.com prezi.com genial.ly genially.com powtoon.com animaker.com piktochart.com infogram.com
        miro.com mural.co figma.com lucid.app lucidchart.com lucidspark.com trello.com asana.com monday.com
        notion.so notion.com evernote.com airtable.com atlassian.net slideshare.net surveymonkey.com typeform.com
        jotform.com nettskjema.no questback.com doodle.com calendly.com wordwall.net classtools.net
        creaza.com skolestudio.no ndla.no nrk.no nrksuper.no salaby.no aschehoug.no gyldendal.no cappelendamm.no
        skooler.com vigilo.no conexus.net visma.no visma.com transponder.no idium.no
        libreoffice.org gimp.org inkscape.org audacityteam.org
        wikipedia.org wikimedia.org wiktionary.org wikidata.org snl.no
    """,
    "meetings": """
        teams.microsoft.com teams.live.com teams.cloud.microsoft teams.office.com teams.events.data.microsoft.com
        skype.com skypeforbusiness.com lync.com
        zoom.us zoom.com webex.com meet.google.com whereby.com jitsi.org meet.jit.si goto.com gotomeeting.com
        join.nordicbigblue.com bluejeans.com livestorm.co pexip.com join.no joinmy.zoom.us gather.town
    """,
    "cloud_storage": """
        onedrive.live.com onedrive.com 1drv.com 1drv.ms skydrive.live.com api.onedrive.com storage.live.com
        sharepoint.com onedrive.cloud.microsoft sharepointonline.com svc.ms
        dropbox.com dropboxapi.com dropboxusercontent.com dropboxstatic.com db.tt getdropbox.com
        drive.google.com drive.usercontent.google.com
        icloud.com icloud.com.cn box.com boxcdn.net jottacloud.com jottacloud.no pcloud.com sync.com tresorit.com
        nextcloud.com owncloud.com owncloud.online proton.me photos.google.com one.google.com
        wetransfer.com we.tl filemail.com box.net dropbox-dns.com idrive.com
    """,
    "messaging": """
        whatsapp.com whatsapp.net wa.me web.whatsapp.com discord.com discordapp.com discordapp.net discord.gg
        discord.media discord.co discordcdn.com discordstatus.com signal.org whispersystems.org
        telegram.org t.me telegram.me messenger.com slack.com slack-edge.com slackb.com chat.google.com
        element.io matrix.org viber.com line.me wire.com threema.ch telegra.ph
    """,
}

SERVICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: (category,) if category else () for category, names in _BY_CATEGORY.items() for name in names.split()}
)
"""Name → the categories that it and everything below it is of; empty for what no category closes."""
