"""Widely used sites and what they are, so that a list which plainly misfiles one is noticed.

Only the very name (and its `www`) is settled here, since many of these host what others make: one blog below
blogspot.com may well be what a list says. Written from general knowledge of the services.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_BY_CATEGORIES = {
    "": """
        gravatar.com fandom.com wikia.com wikia.nocookie.net archive.org web.archive.org openlibrary.org
        163.com 126.com qq.com
        sina.com.cn sohu.com baidu.com yahoo.com yahoo.co.jp aol.com msn.com live.com microsoft.com windows.com
        windowsupdate.com microsoftonline.com bing.com google.com google.no google.se google.dk google.de google.co.uk
        google.fr google.nl youtube-nocookie.com apple.com me.com mac.com icloud-content.com mozilla.org
        mozilla.com firefox.com
        opera.com vivaldi.com brave.com duckduckgo.com startpage.com ecosia.org qwant.com yandex.ru yandex.com
        amazon.com amazon.co.uk amazon.de amazon.se ebay.com ebay.co.uk ebay.de etsy.com aliexpress.com
        alibaba.com temu.com
        taobao.com tmall.com jd.com walmart.com target.com ikea.com zalando.no zalando.com hm.com cdon.no komplett.no
        elkjop.no power.no netonnet.no clasohlson.com xxl.no finn.no tise.com prisjakt.no oda.com kolonial.no
        rema.no rema1000.no kiwi.no meny.no coop.no vinmonopolet.no apotek1.no vitusapotek.no farmasiet.no
        dnb.no sparebank1.no nordea.no nordea.com handelsbanken.no sbanken.no storebrand.no gjensidige.no
        if.no tryg.no klp.no vipps.no paypal.com klarna.com stripe.com visa.com visa.no mastercard.com
        americanexpress.com wise.com revolut.com adyen.com nets.eu nets.no
        posten.no bring.no bring.com postnord.no postnord.com dhl.com ups.com fedex.com helthjem.no porterbuddy.com
        vy.no entur.no ruter.no kolumbus.no skyss.no atb.no sas.no flysas.com norwegian.no norwegian.com
        wideroe.no avinor.no
        booking.com airbnb.com airbnb.no tripadvisor.com tripadvisor.no expedia.com hotels.com
        yr.no met.no storm.no pent.no kartverket.no norgeskart.no norkart.no nb.no ssb.no ntnu.no uio.no
        uib.no uit.no uia.no uvm.edu unizar.es absa.co.za itau.com.ar
        hvl.no oslomet.no usn.no nord.no inn.no himolde.no bi.no nmbu.no kristiania.no nva.no
        vg.no dagbladet.no aftenposten.no bt.no adressa.no aftenbladet.no dn.no e24.no nettavisen.no abcnyheter.no
        dagsavisen.no klassekampen.no vl.no dagen.no nationen.no fvn.no itromso.no nordlys.no nidaros.no tk.no gd.no
        ostlendingen.no oa.no ta.no telemarksavisa.no varden.no rb.no romerikesblad.no budstikka.no dt.no
        drammenstidende.no h-a.no ha-halden.no f-b.no moss-avis.no smp.no rbnett.no tv2.no khrono.no forskning.no
        faktisk.no filter.no digi.no tu.no kode24.no journalisten.no kommunal-rapport.no utdanningsnytt.no
        sykepleien.no tidsskriftet.no nhi.no lommelegen.no klikk.no kk.no seher.no side2.no
        proff.no 1881.no gulesider.no 180.no purehelp.no nettbuss.no
        larsen.no caprino.no ringnes.no hansa.no freia.no tine.no gilde.no prior.no orkla.no mills.no toro.no
        telenor.no telia.no ice.no altibox.no get.no lyse.no globalconnect.no nextgentel.no talkmore.no
        hafslund.no tibber.com fortum.no statkraft.no equinor.com hydro.com yara.com
        lo.no nho.no virke.no unio.no fagforbundet.no nsf.no utdanningsforbundet.no fellesforbundet.no delta.no
        idrettsforbundet.no nif.no fotball.no skiforbundet.no handball.no dnt.no ut.no speiding.no kfuk-kfum.no
        kirken.no dnk.no frelsesarmeen.no human.no kreftforeningen.no nasjonalforeningen.no lhl.no diabetes.no
        bbc.com bbc.co.uk cnn.com nytimes.com washingtonpost.com theguardian.com reuters.com apnews.com aljazeera.com
        bloomberg.com ft.com wsj.com economist.com forbes.com time.com cnbc.com foxnews.com nbcnews.com
        abcnews.go.com cbsnews.com npr.org usatoday.com latimes.com independent.co.uk telegraph.co.uk dailymail.co.uk
        mirror.co.uk thesun.co.uk spiegel.de zeit.de faz.net sueddeutsche.de bild.de tagesschau.de lemonde.fr
        lefigaro.fr
        elpais.com elmundo.es repubblica.it corriere.it svt.se sverigesradio.se dn.se aftonbladet.se
        expressen.se svd.se
        dr.dk tv2.dk politiken.dk berlingske.dk jp.dk bt.dk yle.fi hs.fi iltalehti.fi is.fi ruv.is mbl.is visir.is
        wordpress.com wordpress.org wp.com blogger.com blogspot.com blogg.no tumblr.com medium.com
        substack.com ghost.io
        livejournal.com weebly.com wix.com wixsite.com squarespace.com webflow.com jimdo.com jimdofree.com
        altervista.org now.sh tripod.com geocities.com angelfire.com neocities.org over-blog.com canalblog.com
        github.com gitlab.com bitbucket.org sourceforge.net stackoverflow.com stackexchange.com
        python.org php.net nodejs.org ruby-lang.org rust-lang.org golang.org debian.org ubuntu.com redhat.com
        kernel.org gnu.org
        apache.org eclipse.org jetbrains.com docker.com kubernetes.io readthedocs.io mysql.com postgresql.org
        oracle.com
        ibm.com intel.com amd.com nvidia.com dell.com hp.com lenovo.com samsung.com lg.com sony.com huawei.com
        xiaomi.com asus.com acer.com logitech.com cisco.com vmware.com adobe.com autodesk.com sap.com salesforce.com
        zendesk.com hubspot.com mailchimp.com intuit.com shopify.com godaddy.com namecheap.com
        ovh.com ovh.net hetzner.com digitalocean.com linode.com vultr.com
        imdb.com rottentomatoes.com goodreads.com britannica.com merriam-webster.com dictionary.com wikihow.com
        ted.com mit.edu harvard.edu stanford.edu berkeley.edu ox.ac.uk cam.ac.uk nasa.gov nih.gov cdc.gov who.int
        un.org europa.eu oecd.org worldbank.org imf.org unicef.org unesco.org redcross.org amnesty.org
        gov.uk usa.gov whitehouse.gov irs.gov weather.com accuweather.com weather.gov
        webmd.com mayoclinic.org nhs.uk healthline.com medlineplus.gov
        quora.com ask.com answers.com about.com allrecipes.com matprat.no
        imgur.com giphy.com tenor.com flickr.com unsplash.com pexels.com pixabay.com shutterstock.com
        gettyimages.com istockphoto.com
        deviantart.com behance.net dribbble.com pinterest-static.com
        scribd.com issuu.com academia.edu researchgate.net springer.com elsevier.com sciencedirect.com nature.com
        jstor.org arxiv.org doi.org orcid.org
        change.org kickstarter.com gofundme.com patreon.com eventbrite.com meetup.com ticketmaster.no ticketmaster.com
        mapquest.com openstreetmap.org here.com waze.com gravatar.org disqus.com addthis.com sharethis.com
        doubleclick.net googlesyndication.com google-analytics.com googletagmanager.com googleadservices.com
        hotjar.com cookielaw.org onetrust.com cookiebot.com trustpilot.com recaptcha.net hcaptcha.com
        norton.com mcafee.com kaspersky.com f-secure.com withsecure.com eset.com avast.com avg.com bitdefender.com
        malwarebytes.com virustotal.com 1password.com bitwarden.com lastpass.com dashlane.com okta.com
        auth0.com duo.com
        indeed.com glassdoor.com monster.com jobbnorge.no webcruiter.no recman.no
        chess.com lichess.org bridgebase.com sudoku.com
        apps.apple.com itunes.apple.com a16z.com artstation.com bdimg.com brainpop.com byjus.com
        cartoonnetwork.com dan.com demon.co.uk
        downdetector.com emojipedia.org feedingamerica.org gofund.me goodmorningamerica.com gyazo.com hasbro.com
        hemingwayapp.com home.blog in.com lego.com mgmresorts.com mixi.jp mplayerhq.hu
        nationalgeographic.com nationaltoday.com netease.com nhl.com nba.com nfl.com fifa.com uefa.com
        fide.com nick.com nokia.com
        obsproject.com onelook.com panic.com pbskids.org pbs.org playbill.com player.fm razer.com sharecare.com
        sketchfab.com sporcle.com starlink.com tencent.com theplayerstribune.com topspeed.com turner.com unity.com
        unity3d.com unrealengine.com godotengine.org blender.org vocabulary.com wwe.com 5ch.net disquscdn.com
        gutefrage.net
        helpshift.com hoodamath.com mathplayground.com prodigygame.com monkeytype.com bricklink.com
        beepworld.de freewebs.com multiply.com
        joueclub.fr thetoyshop.com elc.co.uk game.co.uk
        polygon.com kotaku.com ign.com gamespot.com eurogamer.net pcgamer.com gamesindustry.biz gamesradar.com
        gamer.no
        gamereactor.no pressfire.no spillmagasinet.no goinorge.no agens.no teknopilot.no ravnstudio.no moondrop.no
        antagonist.no ablemagic.no spornesfestivalen.no teller.no
        archiveofourown.org cafepress.com fark.com thoughtcatalog.com tmz.com vice.com weheartit.com
        wnycstudios.org wnyc.org
        libertatea.ro quoka.de cduniverse.com
        durex.com durex.no kondomeriet.no
        invisionfree.com mycdn.me rutube.ru metacafe.com
        alamy.com freepik.com 123rf.com grc.com gutenberg.org ibiblio.org learner.org netbsd.org freebsd.org
        openbsd.org sandisk.com snap.com
        photobucket.com pbase.com webshots.com jamendo.com sxc.hu abload.de
        brides.com commondreams.org goodmenproject.com marriage.com timeout.com
        boomplay.com
        beatstars.com freerepublic.com giveawayoftheday.com goodfirms.co lightinthebox.com superoffice.com
        superoffice.no
        villagevoice.com xoom.com
        babylon.com christianpost.com anrdoezrs.net clickbank.net hao123.com intensedebate.com mailtrack.io pen.io
        mpg.de bmuv.de applovin.com gleam.io woobox.com
        pubhtml5.com start.me bark.us totalav.com infourok.ru
    """,
    "social_media": """
        facebook.com fbcdn.net facebook.net fb.com fb.me instagram.com cdninstagram.com threads.net threads.com
        twitter.com x.com twimg.com t.co linkedin.com licdn.com lnkd.in pinterest.com pinimg.com pin.it
        reddit.com redd.it
        redditmedia.com redditstatic.com snapchat.com sc-cdn.net vk.com ok.ru weibo.com mastodon.social bsky.app
        jodel.com nextdoor.com hi5.com tagged.com odnoklassniki.ru icq.com kuaishou.com
    """,
    "social_media messaging": "facebook-messenger.com",
    "social_media streaming": """
        youtube.com youtu.be ytimg.com googlevideo.com tiktok.com tiktokcdn.com vimeo.com vimeocdn.com
    """,
    "streaming": """
        viaplay.no viaplay.com viaplay.se netflix.com nflxvideo.net nflxext.com disneyplus.com hbomax.com max.com
        raiplay.it hdslb.com bilibili.com mxplayer.in
        primevideo.com skyshowtime.com strim.no allente.no rikstv.no tv.nrk.no play.tv2.no sumo.tv2.no
        discoveryplus.com
        tv4play.se svtplay.se dailymotion.com spotify.com scdn.co tidal.com soundcloud.com deezer.com
        music.apple.com tv.apple.com hulu.com plex.tv podme.com storytel.com storytel.no bookbeat.com fabel.no
        radioplay.no
    """,
    "streaming gaming": "twitch.tv ttvnw.net jtvnw.net",
    "gambling": """
        norsk-tipping.no rikstoto.no bet365.com betfair.com betway.com williamhill.com paddypower.com ladbrokes.com
        oddschecker.com sportingbet.com unibet.com betsson.com pokerstars.com
    """,
    "ai_chat": "openai.com chatgpt.com claude.ai anthropic.com gemini.google.com copilot.microsoft.com perplexity.ai",
    "url_shortener": "bit.ly tinyurl.com ow.ly is.gd goo.gl rb.gy cutt.ly",
    "software_download": "play.google.com majorgeeks.com onlinedown.net fileplanet.com",
    "remote_access": "teamviewer.com anydesk.com",
    "dynamic_dns": "servegame.com duckdns.org no-ip.com noip.com dyndns.org ddns.net hopto.org zapto.org",
}

WIDELY_USED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(categories.split()) for categories, names in _BY_CATEGORIES.items() for name in names.split()}
)
"""Name → the categories that it is of; empty for what no category closes. Each category's lists may name it."""
