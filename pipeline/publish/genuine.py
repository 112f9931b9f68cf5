"""Genuine and current? What ``verify.html`` finds out about a file or a text, with nothing but public files.

    SHA-256 → index and shard → statement → signatures → what the newest statement says

A shard only finds candidates: what counts is that a statement states the whole digest, and that its signature is right.
Statements are read anew when something does not fit, because a correction may be on its way to the storage.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
from msgspec import Struct

from pipeline.model.errors import DatelineError, SettingError, StorageError, printable
from pipeline.model.formats import by_name
from pipeline.model.manifest import KEY, Manifest, Row, digest
from pipeline.model.statement import (
    ENTRY,
    SIGNERS,
    SignedStatement,
    Signer,
    Signers,
    Statement,
    decode,
    digest_of,
    earlier_key,
    folded,
    signature_key,
    statement_key,
    words_of,
)
from pipeline.publish.manifest import load
from pipeline.publish.parallel import in_parallel
from pipeline.publish.signing import SignatureError, line_of, unarmoured, verify
from pipeline.publish.statements import lasting
from pipeline.publish.verification import Problem
from pipeline.publish.word_diff import Passage, differences
from pipeline.reader.signers import parse_signers
from pipeline.site import search
from pipeline.site.verify import INDEX, Index, Listed, end_marks, shard_key, shard_of
from pipeline.storage.anonymous import AnonymousClient
from pipeline.typography.contact_cards import CARDS
from pipeline.writers.ninjs import digests

Fetch = Callable[[str], bytes | None]
"""From a key to the public bytes there; None when there are none. Raises StorageError when nobody answers."""
Verdict = Literal["current", "corrected", "withdrawn", "embargoed", "differs", "unknown", "unconfirmed"]

LONGEST = 16 * 1024 * 1024
"""Bytes of what is read for a check: texts, statements and shards are much shorter."""
LONGEST_TEXT = 1024 * 1024
"""Bytes of a file that may be pasted words."""
PAUSES = (0.5, 1.0, 2.0)
"""Seconds before everything is read again, because a correction may be on its way."""
FIRST_LINES = 20
"""Of pasted words, among which the headline is."""
WRAPPED = 3
"""Lines that a headline may have there."""
MOST_SIGNATURES = 8
MOST_PARTS = 40
"""Search files that are read for the nearest release, newest first."""
ALIKE = 0.6
"""Share of pasted words that a release must have to be called the nearest."""
FEWEST_WORDS = 5
"""Of a pasted part: fewer stand in many texts."""
BEST: tuple[Verdict, ...] = ("current", "embargoed", "corrected", "withdrawn")
"""Of several releases that have the same picture or words, the one to name."""
_TEXT = by_name("text")
_SLUG = re.compile(r"[^/\\\x00-\x20.][^/\\\x00-\x20]*")
_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]{4}")
"""Scripts that are written without blanks between words."""
Found = TypeVar("Found")


class Finding(Struct, frozen=True):
    """What was found out about a file or a text."""

    verdict: Verdict
    slug: str = ""
    stated: Statement | None = None
    """The statement that states it."""
    newest: Statement | None = None
    """What is stated of the same release now."""
    signers: tuple[Signer, ...] = ()
    """Whose signatures of ``stated`` are right."""
    note: str = ""
    """Of a correction, the reason of a withdrawal, or what does not fit."""
    passages: tuple[Passage, ...] = ()
    """Words that differ: of the newest revision, and of the pasted text."""


class MisfitError(Exception):
    """Statement, signature, key or shard do not fit together; the message says which."""

    def __init__(self, message: str, slug: str = "") -> None:
        super().__init__(message)
        self.slug = slug


def public_files(client: AnonymousClient) -> Fetch:
    """Return how the files of the newsroom at the client's address are read."""

    def fetch(key: str) -> bytes | None:
        answer = client.get(key, limit=LONGEST)
        if answer.status == 200:
            return answer.body
        if answer.status in (403, 404, 410):
            return None
        if to := answer.headers.get("location"):
            raise StorageError(f"{client.address}{key} is redirected to {printable(to)}", "name that address with AT=")
        raise StorageError(f"{client.address}{key} answers {answer.status}", "check the address, or try again later")

    return fetch


def check_file(file: Path, fetch: Fetch, own: bytes | None = None, pauses: Sequence[float] = PAUSES) -> Finding:
    """Return what is known of a file, or of the words in it when it is a text.

    ``own`` is ``content/signers`` when the newsroom is this one: the public file must be the same. Raises SettingError
    when the newsroom signs nothing, and StorageError when it does not answer.
    """
    with file.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    found = _settled(lambda: _Lookup(fetch, own).check(sha256), pauses)
    text = _text_of(file) if found.verdict == "unknown" else ""
    return _settled(lambda: _Lookup(fetch, own).check_text(text), pauses) if text else found


def telephones(fetch: Fetch) -> list[str]:
    """Return name and telephone numbers of the desk, as ``media-contact.vcf`` states them."""
    cards = (fetch(CARDS) or b"").decode("utf-8", "replace").replace("\r\n", "\n").replace("\n ", "")
    for card in cards.split("BEGIN:VCARD"):
        numbers = re.findall(r"^TEL[^:\n]*:tel:(\S+)", card, re.MULTILINE)
        if numbers and "\nKIND:org" not in card:
            return [printable(each) for each in (*re.findall(r"^FN:(.+)", card, re.MULTILINE)[:1], *numbers)]
    return []


def _settled(ask: Callable[[], Finding], pauses: Sequence[float]) -> Finding:
    """Return what ``ask`` finds; where something does not fit, ask again."""
    for pause in (*pauses, None):
        try:
            return ask()
        except MisfitError as error:
            misfit = error
        if pause is not None:
            time.sleep(pause)
    return Finding("unconfirmed", misfit.slug, note=str(misfit))


def _text_of(file: Path) -> str:
    """Return the words of a text file; nothing for files of other kinds."""
    if file.stat().st_size > LONGEST_TEXT:
        return ""
    data = file.read_bytes()
    if data.startswith((b"%PDF", b"PK\x03\x04", b"{\\rtf")):
        return ""
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        return ""
    return "" if "\x00" in text else text


class _Lookup:
    """One reading of a newsroom's statements: every file is read once."""

    def __init__(self, fetch: Fetch, own: bytes | None = None) -> None:
        self._fetch = fetch
        self._read: dict[str, bytes | None] = {}
        public, index = self.get(SIGNERS), self.get(INDEX)
        if public is None and index is None:
            raise SettingError(
                f"this newsroom has no signed statements: neither {SIGNERS} nor {INDEX} is there",
                "check the address; ask the desk by telephone, at a number that you know from elsewhere",
            )
        if own is not None and public != own:
            raise MisfitError(
                f"the public {SIGNERS} are not those of content/{SIGNERS}: make publish publishes a change; if nobody "
                "here made one, somebody else wrote the public file"
            )
        self.signers = parse_signers(public or b"")
        bits = _decoded(index, Index, INDEX).bits
        if not 0 <= bits <= 16:
            raise MisfitError(f"{INDEX} is not an index")
        self._bits = bits

    def get(self, key: str) -> bytes | None:
        """Return a public file; None where there is none."""
        if key not in self._read:
            self._read[key] = self._fetch(key)
        return self._read[key]

    # ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, sha256: str) -> Finding:
        """Return what is known of a file, or of words, by their digest. Raises MisfitError."""
        found: dict[str, Finding] = {}
        misfit: MisfitError | None = None
        for listed in self._candidates(sha256):
            try:
                if listed.slug not in found and (finding := self._finding(listed, sha256)):
                    found[listed.slug] = finding
            except MisfitError as error:
                misfit = misfit or error
        known = sorted(found.values(), key=lambda each: BEST.index(each.verdict))
        if not known and misfit:
            raise misfit
        return known[0] if known else Finding("unknown")

    def _candidates(self, sha256: str) -> Iterator[Listed]:
        """Yield the statements that may state a digest, newest first."""
        key = shard_key(self._bits, shard_of(sha256, self._bits))
        for listed in _decoded(self.get(key), list[Listed], key):
            entries = (listed.entries[at : at + ENTRY] for at in range(0, len(listed.entries), ENTRY))
            if sha256[:ENTRY] in entries and _SLUG.fullmatch(listed.slug):
                yield listed

    def _finding(self, listed: Listed, sha256: str) -> Finding | None:
        """Return what a statement means for a digest; None if it does not state it."""
        stated, signers = self._listed_statement(listed)
        if not stated.has(sha256):
            return None
        newest = self.newest(listed.slug)
        if newest.revision < stated.revision:
            raise MisfitError(f"{statement_key(listed.slug)} is older than what was signed before", listed.slug)
        is_layout = newest.corrections == stated.corrections and newest.words == stated.words and bool(stated.words)
        same = newest == stated or is_layout
        note = "" if same else self.note(listed.slug)
        verdict: Verdict = "current" if same else "corrected"
        if stated.status == "embargoed":
            verdict = "embargoed"
        if newest.status == "canceled":
            verdict = "withdrawn"
        return Finding(verdict, listed.slug, stated, newest, signers, note)

    def _listed_statement(self, listed: Listed) -> tuple[Statement, tuple[Signer, ...]]:
        """Return a statement that a shard lists, the newest or an earlier one, and who signed it."""
        key = statement_key(listed.slug)
        if not digest(self.get(key) or b"").startswith(listed.beginning):
            key = earlier_key(listed.slug, listed.year, listed.beginning)
            data = self.get(key)
            if data is None or not digest(data).startswith(listed.beginning):
                what = "is not there" if data is None else "has other bytes than its name says"
                raise MisfitError(f"{key} {what}", listed.slug)
        return self._signed(key, listed.slug)

    def newest(self, slug: str) -> Statement:
        """Return what is stated of a release now. Raises MisfitError unless somebody who may has signed it."""
        return self._signed(statement_key(slug), slug)[0]

    def _signed(self, key: str, slug: str) -> tuple[Statement, tuple[Signer, ...]]:
        """Return a statement, and whose signatures of it are right: at least one."""
        data = self.get(key)
        if data is None:
            raise MisfitError(f"{key} is not there", slug)
        statement = _read(data, key, slug)
        signers, wrong = [], ""
        for number in range(1, MOST_SIGNATURES + 1):
            signature = self.get(signature_key(key, number))
            if signature is None:
                break
            try:
                blob = unarmoured(signature.decode("utf-8", "replace"))
                signers.append(verify(data, blob, self.signers, statement.signed))
            except SignatureError as error:
                wrong = wrong or f"{key}: its signature {error}"
        if not signers:
            raise MisfitError(wrong or f"{key} has no signature", slug)
        return statement, tuple(signers)

    def note(self, slug: str) -> str:
        """Return the note of the newest correction, or the reason of the withdrawal, as the record has it."""
        try:
            record = json.loads(self.get(f"releases/{slug}.json") or b"{}")
        except ValueError:
            return ""
        return str(record.get("edNote", "")) if isinstance(record, dict) else ""

    # ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def check_text(self, text: str) -> Finding:
        """Return what is known of pasted words: of a whole release, with or without what is around it, or of a part.

        Raises MisfitError.
        """
        lines = [line for line in map(folded, text.splitlines()) if line]
        if not lines:
            return Finding("unknown")
        found = self.check(digest_of(text))
        if found.verdict != "unknown":
            return found
        of_titles = [self._compared(slug, lines[at:]) for at, slug in self._titled(lines)]
        if not of_titles:
            return self._nearest(text)
        return min(of_titles, key=lambda each: (each.verdict == "differs", _differing(each)))

    def _titled(self, lines: list[str]) -> Iterator[tuple[int, str]]:
        """Yield at which line a release's headline begins, and the release; it may go on over several lines."""
        seen = set[str]()
        for at in range(min(FIRST_LINES, len(lines))):
            for wrapped in range(min(WRAPPED, len(lines) - at), 0, -1):
                parts = lines[at : at + wrapped]
                for title in {digest_of(between.join(parts)) for between in (" ", "")}:  # some scripts have no blanks
                    for listed in self._candidates(title):
                        if listed.slug not in seen and digest_of(self._listed_statement(listed)[0].title) == title:
                            seen.add(listed.slug)
                            yield at, listed.slug

    def _compared(self, slug: str, lines: list[str]) -> Finding:
        """Return how pasted words, from the headline on, differ from what a release says."""
        newest = self.newest(slug)
        if newest.status == "canceled":
            # Its words are not public any more: only their digests tell whether it said this.
            ours, ends = "", end_marks()
        else:
            ours = self._words(slug, newest)
            ends = [mark for mark in end_marks() if ours.endswith(f" {mark}")][:1] or [""]
        pasted = [_until(end, lines) for end in ends]
        for theirs in dict.fromkeys(pasted):
            found = self.check(digest_of(theirs))
            if found.verdict != "unknown":
                return found
        if not ours:
            return Finding("differs", slug, newest=newest, note=self.note(slug))
        passages = tuple(differences(*_as_in_print(ours, pasted[0])))
        return Finding("differs", slug, newest=newest, passages=passages) if passages else self.check(newest.words)

    def _words(self, slug: str, newest: Statement) -> str:
        """Return the words of a public release, from headline to end mark. Raises MisfitError."""
        key = _TEXT.key(slug)
        data = self.get(key)
        if data is None or digest(data) != dict(newest.files).get(key):
            raise MisfitError(f"{key} is not what {statement_key(slug)} states", slug)
        return words_of(data.decode("utf-8", "replace"), newest.title, end_marks())

    def _nearest(self, text: str) -> Finding:
        """Return how pasted words without a known headline differ from the release that has most of them."""
        words = set(search.words(text).split())
        dense = {piece for word in words if _DENSE.search(word) for piece in re.findall("....", word)}
        plain = {word for word in words if not _DENSE.search(word)}
        if len(plain) + len(dense) < FEWEST_WORDS:
            return Finding("unknown")
        rows = self._rows()
        entries = (entry for part in search.parts(rows)[:MOST_PARTS] for entry in self._entries(part))
        shares = {
            slug: (len(plain & set(known.split())) + sum(piece in known for piece in dense)) / (len(plain) + len(dense))
            for slug, known in entries
        }
        slug = max(shares, key=lambda each: shares[each], default="")
        if not slug or shares[slug] < ALIKE or not any(row.slug == slug and row.statement for row in rows):
            return Finding("unknown")
        newest = self.newest(slug)
        if newest.status == "canceled":
            return Finding("unknown")
        passages = differences(*_as_in_print(self._words(slug, newest), folded(text)))
        return Finding("differs", slug, newest=newest, passages=tuple(filter(None, map(_excerpt, passages))))

    def _rows(self) -> tuple[Row, ...]:
        """Return the rows of the manifest; none where it cannot be read."""
        head = self.get(KEY) or b""
        try:
            return load(head, lambda key: self.get(key) or b"").rows
        except (DatelineError, msgspec.DecodeError):
            return ()

    def _entries(self, part: str) -> Iterator[tuple[str, str]]:
        """Yield slug and words of each release in a file of the search."""
        try:
            listed = json.loads(self.get(f"archive/{part}{search.SUFFIX}") or b"{}")["releases"]
            yield from ((str(entry[0]), str(entry[8])) for entry in listed)
        except (ValueError, KeyError, IndexError, TypeError):
            return


def _decoded(data: bytes | None, kind: type[Found], key: str) -> Found:
    """Return index or shard. Raises MisfitError."""
    if data is None:
        raise MisfitError(f"{key} is not there")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MisfitError(f"{key} is not what Dateline wrote") from None


def _read(data: bytes, key: str, slug: str) -> Statement:
    """Return a statement about the release ``slug``. Raises MisfitError."""
    try:
        statement = decode(data)
    except ValueError as error:  # UnicodeDecodeError too
        raise MisfitError(f"{key} is not a statement: {error}", slug) from None
    if statement.address != f"releases/{slug}.html":
        raise MisfitError(f"{key} is about another release, {statement.address}", slug)
    return statement


def _until(end: str, lines: list[str]) -> str:
    """Return pasted words up to their end mark, in capitals or not, or to their end with the mark added, folded."""
    at = next((at for at, line in enumerate(lines) if at and line.casefold() == end.casefold()), None)
    return folded(" ".join([*lines[:at], end]))


def _as_in_print(ours: str, theirs: str) -> tuple[str, str]:
    """Return both texts without what only the plain-text copy has: headings in capitals, captions in brackets."""
    capitals_of_ours = {word for word in map(_bare, ours.split()) if word.isupper()}

    def shown(text: str) -> str:
        words = map(_bare, text.split())
        return " ".join(word.upper() if word.upper() in capitals_of_ours else word for word in words)

    return shown(ours), shown(theirs)


def _bare(word: str) -> str:
    return word.removeprefix("[").removesuffix("]")


def _differing(finding: Finding) -> int:
    """Return how many letters differ."""
    return sum(len(piece.words) for passage in finding.passages for piece in passage if piece.kind != "same")


def _excerpt(passage: Passage) -> Passage:
    """Return a passage without what the release has before and after the pasted part; nothing if no more differs."""
    pieces = list(passage)
    for end in (0, -1):
        if pieces and pieces[end].kind == "gone":
            del pieces[end]
    return tuple(pieces) if any(piece.kind != "same" for piece in pieces) else ()


# ── A whole newsroom ────────────────────────────────────────────────────────────────────────────────────────────────


def signature_problems(manifest: Manifest, signers: Signers, fetch: Fetch) -> list[Problem]:
    """Return what is wrong with the public statements: with their text, their signatures, or what the newest state.

    That their bytes are those of the manifest is for ``read_back``; here they must be what the signers said.
    """
    rows = {row.slug: row for row in manifest.rows if row.statement or row.earlier_statements}
    found = in_parallel(lambda slug: list(_problems(rows[slug], signers, fetch)), rows)
    problems = [problem for listed in found.values() for problem in listed]
    if found and fetch(SIGNERS) != signers.text:
        problems.insert(0, Problem(SIGNERS, f"is not content/{SIGNERS}: make publish publishes it"))
    return problems


def _problems(row: Row, signers: Signers, fetch: Fetch) -> Iterator[Problem]:
    for key, signed in row.statements().items():
        data = fetch(key) or b""
        if digest(data) != signed.sha256:
            continue  # it is being replaced, or read_back says so
        try:
            statement = _read(data, key, row.slug)
        except MisfitError as error:
            yield Problem(key, str(error).removeprefix(f"{key} "))
            continue
        found = (_signature_error(data, blob, signed, signers) for blob in signed.blobs)
        wrong = [each for each in found if each]
        # Where the line of a stolen key was deleted, what it signed counts no more; the newest has to be signed anew.
        counting = [text for text, is_known in wrong if is_known]
        if signed is row.statement and len(wrong) == len(signed.signatures):
            counting = counting or [text for text, _ in wrong[:1]]
            if not wrong:
                yield Problem(key, "has no signature")
        yield from (Problem(key, f"has a signature that {text}") for text in counting)
        record = fetch(f"releases/{row.slug}.json") or b""
        if signed is row.statement and digest(record) == row.record:
            published, stated = dict(lasting(row.slug, digests(record))), dict(statement.files)
            awaited = stated.keys() - published.keys()  # footage that follows its words, or has expired, in no record
            awaited &= awaited if row.footage_outdated else {*row.expired}
            differing = {name for name, _ in {*published.items()} ^ {*stated.items()}} - awaited
            yield from (Problem(key, f"states another {name} than the record") for name in sorted(differing))


def _signature_error(data: bytes, blob: bytes, signed: SignedStatement, signers: Signers) -> tuple[str, bool] | None:
    """Return why a signature is wrong, and whether its key is one of today's; None where it is right."""
    try:
        verify(data, blob, signers, signed.signed)
    except SignatureError as error:
        try:
            return str(error), line_of(blob, signed, signers) is not None
        except SignatureError:
            return str(error), True
    return None
