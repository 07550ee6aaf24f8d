"""Searches with the product that must be first. Where several are as right, all are named."""

from pathlib import Path

INDEPENDENT = Path(__file__).with_name("independent_searches.txt")
KINDS = {
    "names": """
        entry = WEB-ENTRY
        Basic = WEB-BASIC
        PREMIUM = WEB-PREMIUM
        enterprise = WEB-ENTERPRISE
        wordpress business = WP-BUSINESS
        business wordpress = WP-BUSINESS
        woocommerce = WOO-SHOP
        magento = MAGENTO
        ghost = GHOST
        windows vps = VPS-WIN
        gpu server = VPS-GPU
        full rack = COLO-RACK
        kubernetes = K8S
        premium dns = DNS-PREM
        hosted exchange = MAIL-EX
        microsoft 365 = M365-BASIC M365-STD
        365 standard = M365-STD
        google workspace = GWS
        spam = SPAM
        wildcard ssl = SSL-WILD
        object storage = OBJ
        logo = LOGO
        seo professional = SEO-L
        copywriting = COPY
        reseller 50 = RES-50
        minecraft = MC
        mail box 50 = MAIL-50
        ssl certificate = SSL-DV
        domain transfer = DOM-MOVE
    """,
    "ids": """
        web-basic = WEB-BASIC
        DOM-COZA = DOM-COZA
        vps-gpu = VPS-GPU
        k8s = K8S
        m365 = M365-BASIC
        ip4 = IP4
    """,
    "beginnings of words": """
        prem = WEB-PREMIUM
        kube = K8S
        mine = MC
        wordp bus = WP-BUSINESS
        migr = MIGRATE
        wild = SSL-WILD
        news = NEWS
        dedicated ep = DED-EPYC
        copyw = COPY
        plesk lic = PLESK
        resel = RES-10 RES-50
    """,
    "typing errors": """
        entrprise = WEB-ENTERPRISE
        wordpres agancy = WP-AGENCY
        magneto = MAGENTO
        kubernets = K8S
        mincraft = MC
        wilcard certificate = SSL-WILD
        exchnage = MAIL-EX
        fibre ofices = FIBRE-200
        resseller 10 = RES-10
        malwear removal = MALWARE
        pyhton = PYTHON
        exchange clendar = MAIL-EX
        newsleter statistics = NEWS
        wodpress updats = WP-START CARE
        firewal owasp = WAF
        drupl composer = DRUPAL
    """,
    "plurals": """
        companies verified = SSL-EV
        certificates wildcard = SSL-WILD
        agencies = WP-AGENCY
        subdomain = SSL-WILD
        logos = LOGO
        fibres offices = FIBRE-200
        racks full = COLO-RACK
        charity = DOM-ORG
        newsletters = NEWS
        organisation = DOM-ORGZA
    """,
    "signs": """
        .co.za = DOM-COZA
        co.za = DOM-COZA
        .org.za = DOM-ORGZA
        .com = DOM-COM
        .net domain = DOM-NET
        node.js = NODE
        nodejs = NODE
        asp.net = DOTNET
        c++ = DOTNET
        c# = DOTNET
        http/3 = CDN-GLOBE
        "wildcard certificate" = SSL-WILD
        word* ghost = GHOST
        müller & söhne = CAFE
        2 x 1 tb = DED-E3
        99.9% = WEB-ENTERPRISE
        php-8.3 = PHP
    """,
    "scripts and diacritics": """
        cafe = CAFE
        café = CAFE
        cafe\u0301 = CAFE
        CAFÉ = CAFE
        munchen = CAFE
        MÜLLER = CAFE
        muller sohne = CAFE
        creme = CAFE
        ｋｕｂｅｒｎｅｔｅｓ = K8S
        ＶＰＳ　８ = VPS-8
        mag\u00adento = MAGENTO
        ghost\u200b = GHOST
    """,
    "joined and split words": """
        webdesign shop = DESIGN-SHOP
        word press agency = WP-AGENCY
        wordpress-agency = WP-AGENCY
        woo commerce = WOO-SHOP
        mail box 10 = MAIL-1
        web site builder = BUILDER
        websitebuilder = BUILDER
        co location rack = COLO-RACK
        cloudbackup 500 = BK-500
        objectstorage = OBJ
        copy writing = COPY
        my sql php = PHP
        sitemigration = MIGRATE
        news letter = NEWS
        e mail archive = MAIL-50
        email archive = MAIL-50
        micro soft exchange = MAIL-EX
        subdomains = SSL-WILD
        sub domains = SSL-WILD
    """,
    "numbers and units": """
        vps2 = VPS-2
        vps 2 = VPS-2
        VPS-8 = VPS-8
        vps4 = VPS-4
        10gb mailbox = MAIL-1
        10 gb = MAIL-1
        50gb = MAIL-50
        500 gb backup = BK-500
        500gb = BK-500
        100 GB = BK-100
        1tb backup = BK-1T
        256 gb ram = DED-EPYC
        256gb = DED-EPYC
        8 gb ram = VPS-4
        16gb ram = VPS-8
        200mbps = FIBRE-200
        fibre 50 = FIBRE-50
        32 cores = DED-EPYC
        reseller10 = RES-10
        5 pages = DESIGN-5
    """,
    "prices": """
        R95 = WEB-ENTRY
        R1500 = WEB-BASIC
        R1 500 = WEB-BASIC
        R1,500.00 = WEB-BASIC
        1500 = WEB-BASIC
        12000 = WEB-ENTERPRISE
        zar 2200 = LOGO
        domain r899 = DOM-IO
        R5999 per month = VPS-GPU
        0.35 = OBJ
        750 once off = MALWARE
    """,
    "sentences": """
        i need a firewall for my website = WAF
        how do i move my site to you = MIGRATE
        my site was hacked = MALWARE
        i want to sell hosting under my brand = RES-10 RES-50
        a certificate for all my subdomains = SSL-WILD
        do you have python hosting = PYTHON
        where can i get an african domain = DOM-AFRICA
        server for machine learning please = VPS-GPU
        design me a logo = LOGO
        an online shop with payments = WOO-SHOP
        what is a virtual server with remote desktop = VPS-WIN
        looking for internet at home = FIBRE-50
        be found by google = SEO-S SEO-L
        someone to write text for my pages = COPY
        stop junk in my inbox = SPAM
        send campaigns to my readers = NEWS
        a phone number over the internet = VOICE
    """,
    "synonyms": """
        content delivery network cities = CDN-GLOBE
        tls certificate = SSL-DV
        virtual private server windows = VPS-WIN
        phone support = SUP-PRIO WEB-PREMIUM
        url transfer = DOM-MOVE
        ecommerce payments = WOO-SHOP
        wp agency = WP-AGENCY
        wp business = WP-BUSINESS
        mysql php = PHP
        email calendar activesync = MAIL-50
        mail archive = MAIL-50
        site firewall = WAF
        virus scanner removal = MALWARE
        annual certificate wildcard = SSL-WILD
        homepage builder = BUILDER
        bare metal epyc = DED-EPYC
    """,
}


def searches() -> list[tuple[str, str, set[str]]]:
    """Return the kind, the text and the right products of each search."""
    found = []
    for kind, lines in KINDS.items():
        for line in lines.strip().splitlines():
            text, _, right = line.rpartition(" = ")
            found.append((kind, text.strip(), set(right.split())))
    return found


def independent_searches() -> list[tuple[str, str, set[str]]]:
    """Return the searches of the text file, in the same form."""
    lines = [line for line in INDEPENDENT.read_text().splitlines() if line[:1] not in ("", "#")]
    parts = [line.split("|") for line in lines]
    return [(kind.strip(), text.strip(), set(right.split())) for kind, text, right in parts]
