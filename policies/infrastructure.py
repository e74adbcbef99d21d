"""Names that other names' addresses lead through, and top-level domains that are of one kind in themselves.

A CNAME into one of these is how thousands of unrelated sites are served, and the filter looks at every hop; so
a list that closes one closes them all. Only the very names are meant (and their `www`): a list may still mean
one customer's name below them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_BY_OWNER = {
    "Apple": "apple-dns.net apple-dns.com aaplimg.com icloud-content.com apple-cloudkit.com cdn-apple.com apzones.com",
    "Yahoo": "yahoodns.net yimg.com yahoodns.com",
    "Akamai": """akamai.net akamaiedge.net akamaihd.net akamaized.net akadns.net akadns6.net edgekey.net edgesuite.net
        akamai.com akamaistream.net akagtm.org akam.net edgesuite-staging.net akamaitechnologies.com
        akamaientrypoint.net akasecure.net""",
    "Amazon": """cloudfront.net amazonaws.com awsdns.com elasticbeanstalk.com awsglobalaccelerator.com awsstatic.com
        awswaf.com amazontrust.com s3.amazonaws.com elb.amazonaws.com execute-api.amazonaws.com""",
    "Microsoft": """azure.com azurewebsites.net azureedge.net azurefd.net trafficmanager.net windows.net cloudapp.net
        cloudapp.azure.com core.windows.net blob.core.windows.net msedge.net a-msedge.net s-msedge.net azure-dns.com
        azure-api.net azure-devices.net azure-mobile.net akadns-msft.net msocdn.com msecnd.net vo.msecnd.net
        microsoftonline-p.com trafficmanager.cn cloudapp-int.net onmicrosoft.com t-msedge.net l-msedge.net
        e-msedge.net c-msedge.net b-msedge.net dc-msedge.net azure.net servicebus.windows.net database.windows.net
        msidentity.com aadg.windows.net""",
    "Google": """googlehosted.com ghs.google.com ghs.googlehosted.com googleusercontent.com 1e100.net gvt1.com gvt2.com
        googleapis.com gstatic.com cloudfunctions.net run.app appspot.com ggpht.com withgoogle.com
        googledomains.com""",
    "Cloudflare": "cloudflare.com cloudflare.net cloudflaressl.com cdn.cloudflare.net workers.dev pages.dev",
    "Fastly": "fastly.net fastlylb.net global.fastly.net map.fastly.net fastly.com freetls.fastly.net",
    "Edgio": "edgecastcdn.net edgecast.com llnwd.net llnwi.net lldns.net alphacdn.net systemcdn.net",
    "Alibaba and Tencent": """alicdn.com alikunlun.com kunlunca.com kunlunsl.com alibabadns.com cdntip.com qcloud.com
        tencent-cloud.net myqcloud.com dnsv1.com tdnsv5.com aliyuncs.com""",
    "other delivery networks": """b-cdn.net bunnycdn.com cdn77.org cdn77.net stackpathcdn.com stackpathdns.com hwcdn.net
        netdna-cdn.com netdna-ssl.com kxcdn.com cachefly.net incapdns.net impervadns.net sucuri.net gcdn.co
        footprint.net chinacache.net wscdns.com wsglb0.com lswcdn.net rackcdn.com
        jsdelivr.net cdnjs.com unpkg.com bootstrapcdn.com fontawesome.com typekit.net jquery.com""",
    "hosting": """herokuapp.com herokudns.com herokussl.com vercel-dns.com vercel.app netlify.app netlify.com
        netlifyglobalcdn.com github.io githubusercontent.com gitlab.io wpengine.com wpenginepowered.com kinsta.cloud
        pantheonsite.io myshopify.com shops.myshopify.com squarespace.com squarespace-cdn.com wixdns.net
        wixstatic.com wixmp.com webflow.io proxy-ssl.webflow.com render.com onrender.com fly.dev readthedocs.io
        digitaloceanspaces.com ondigitalocean.app linodeobjects.com zendesk.com hubspot.net hubspotusercontent.com
        salesforce.com force.com salesforceliveagent.com exacttarget.com mcsv.net list-manage.com sendgrid.net
        mailgun.org mktoweb.com acquia-sites.com platformsh.site azurestaticapps.net firebaseapp.com web.app
        translate.goog ampproject.org cdn.ampproject.org amplifyapp.com filesusr.com""",
    "measurement and linking inside apps": """branch.io app.link appsflyer.com onelink.me adjust.com bnc.lt sng.link
        sentry.io newrelic.com nr-data.net datadoghq.com launchdarkly.com optimizely.com
        pusher.com pubnub.com onesignal.com braze.com segment.com amplitude.com intercom.io""",
    "domain parking and name service": """domaincontrol.com awsdns-hostmaster.amazon.com nsone.net dnsmadeeasy.com
        ultradns.net ultradns.com verisigndns.com hyp.net domeneshop.no one.com simply.com loopia.se""",
}

INFRASTRUCTURE: Mapping[str, str] = MappingProxyType(
    {name: owner for owner, names in _BY_OWNER.items() for name in names.split()}
)
"""Name → whose it is."""

_MEANT = {
    "adult": "porn adult sex xxx sexy",
    "gaming": "playstation xbox game games",
    "gambling": "bet casino poker bingo lotto",
    "dating": "dating",
    "streaming": "youtube netflix bbc stream",
}

MEANT_TOP_LEVEL: Mapping[str, str] = MappingProxyType(
    {name: category for category, names in _MEANT.items() for name in names.split()}
)
"""Top-level domains of one brand or one kind → the category in which a list may mean them as a whole."""
