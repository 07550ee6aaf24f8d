"""Words and phrases that mean the same to a search. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from products.search.words import Word, pairs_of, words_of

MAX_LINES = 200
MAX_PHRASES = 12  # of one line
MAX_WORDS = 4  # of one phrase
Stems = tuple[str, ...]
Phrase = tuple[str, ...]
"""A phrase as the words and pairs that a document with it has."""

DEFAULT_SYNONYMS = """\
email, mail, mailbox, e-pos
website, web, site, web page, homepage, webwerf
SEO, search engine optimisation, search engine optimization
AI, machine learning, artificial intelligence
GPU, graphics card
online shop, shop, store, web shop, e-commerce, aanlyn winkel
SSL, TLS, HTTPS, security certificate
VPS, virtual server, virtual private server
dedicated server, bare metal, root server
CDN, content delivery network
domain, domain name, URL, domein
backup, snapshot, safety copy, restore point, rugsteun
storage, disk space, disk, webspace
traffic, bandwidth, data transfer
migration, move, transfer
support, help, assistance, ondersteuning
phone, telephone, call, telefoon
antivirus, virus scanner, malware scan, malware removal
firewall, WAF
WordPress, WP
database, MySQL, MariaDB
monthly, month, per month, maandeliks, maand
yearly, year, annual, annually, per year, jaarliks, jaar
one time, once off, setup
free, no charge, included
uptime, availability, SLA
staging, test site, staging copy
engineer, technician, expert
server, bediener
"""


@dataclass(frozen=True, slots=True, eq=False)
class Synonyms:
    """The phrases that mean the same as a phrase, by the stems of its words.

    Each version is equal to itself alone, so that caches can hold it.
    """

    by_stems: Mapping[Stems, Sequence[Phrase]]

    def at(self, words: Sequence[Word], start: int) -> Iterator[tuple[int, Phrase]]:
        """Yield the phrases that may replace the words from ``start``, and how many words."""
        for count in range(1, MAX_WORDS + 1):
            stems = tuple(word.stem for word in words[start : start + count])
            if len(stems) == count:
                yield from ((count, phrase) for phrase in self.by_stems.get(stems, ()))


@cache
def default_synonyms() -> Synonyms:
    return parse_synonyms(DEFAULT_SYNONYMS)


def parse_synonyms(text: str) -> Synonyms:
    """Return the synonyms of a text that has a group on each line, with commas between phrases.

    Raises: ValueError with a sentence that names the line.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        raise ValueError(f"Must have at most {MAX_LINES} lines; it has {len(lines)}.")
    found: dict[Stems, list[Phrase]] = {}
    for number, line in enumerate(lines, 1):
        for stems, phrases in _group_of(number, line):
            found.setdefault(stems, []).extend(phrases)
    return Synonyms(found)


def _group_of(number: int, line: str) -> Iterable[tuple[Stems, list[Phrase]]]:
    phrases = [words_of(part) for part in line.split(",")]
    if not 2 <= len(phrases) <= MAX_PHRASES:
        raise ValueError(
            f"Line {number} must have 2 to {MAX_PHRASES} phrases, with commas between."
        )
    for words in phrases:
        if not 1 <= len(words) <= MAX_WORDS:
            raise ValueError(f"Each phrase of line {number} must have 1 to {MAX_WORDS} words.")
    for words in phrases:
        others = [_phrase(other) for other in phrases if other != words]
        yield tuple(word.stem for word in words), others


def _phrase(words: list[Word]) -> Phrase:
    return tuple(pairs_of(words)) or (words[0].stem,)
